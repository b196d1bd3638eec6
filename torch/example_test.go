package torch_test

import (
	"fmt"

	"godarts/torch"
)

func ExampleDo() {
	err := torch.Do(func() error {
		x := torch.FromSlice([]float32{1, 2, 3, 4}, 2, 2)
		fmt.Println(x.Mul(x).Sum().Item())
		x.Mul(torch.Ones([]int{3}, torch.Options{}))
		return nil
	})
	fmt.Println(err)
	fmt.Println(torch.Live(), "tensors left")
	// Output:
	// 30
	// torch: mul [2, 2] [3]: The size of tensor a (2) must match the size of tensor b (3) at non-singleton dimension 1
	// 0 tensors left
}

func ExampleGrad() {
	err := torch.Do(func() error {
		x := torch.FromSlice([]float64{1, -2}, 2).RequiresGrad_(true)
		cubes := x.Mul(x).Mul(x).Sum()
		first := torch.Grad([]torch.Tensor{cubes}, []torch.Tensor{x}, torch.GradOptions{CreateGraph: true})[0]
		second := torch.Grad([]torch.Tensor{first.Sum()}, []torch.Tensor{x}, torch.GradOptions{})[0]
		fmt.Println(first)
		fmt.Println(second)
		return nil
	})
	if err != nil {
		fmt.Println(err)
	}
	// Output:
	// float64[2]{3, 12}
	// float64[2]{6, -12}
}

func ExampleConv2d() {
	err := torch.Do(func() error {
		x := torch.Ones([]int{1, 2, 3, 3}, torch.Options{})
		depthwise := torch.Ones([]int{2, 1, 3, 3}, torch.Options{})
		fmt.Println(torch.Conv2d(x, depthwise, torch.Tensor{}, torch.Conv2dOptions{Padding: 1, Groups: 2}).Select(1, 0))
		return nil
	})
	if err != nil {
		fmt.Println(err)
	}
	// Output:
	// float32[1, 3, 3]{4, 6, 4, 6, 9, 6, 4, 6, ...}
}

func ExampleCall() {
	err := torch.Do(func() error {
		x := torch.Arange(0, 5, 1, torch.Options{})
		results := torch.Call("aten::median.dim", x, 0)
		fmt.Println(results[0], results[1])
		return nil
	})
	if err != nil {
		fmt.Println(err)
	}
	// Output:
	// float32[]{2} int64[]{2}
}
