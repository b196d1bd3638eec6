package optim_test

import (
	"fmt"

	"godarts/torch"
	"godarts/torch/optim"
)

// A parabola is followed to its lowest point, 3.
func ExampleSGD() {
	err := torch.Do(func() error {
		w := torch.FromSlice([]float64{0}, 1)
		sgd := optim.NewSGD([]torch.Tensor{w}, optim.SGDOptions{LR: 0.1, Momentum: 0.5})
		for epoch := range 40 {
			sgd.SetLR(optim.Cosine(0.2, 0.01, epoch, 40))
			torch.Scoped(func() {
				g := w.AddScalar(-3).MulScalar_(2) // of (w − 3)²
				optim.ClipNorm(5, g)
				sgd.Step(g)
			})
		}
		fmt.Printf("%.3f\n", w.Item())
		return nil
	})
	fmt.Println(err)
	// Output:
	// 3.000
	// <nil>
}

func ExampleAdam() {
	err := torch.Do(func() error {
		alpha := torch.FromSlice([]float32{0.5, -0.5}, 2)
		adam := optim.NewAdam([]torch.Tensor{alpha}, optim.AdamOptions{LR: 0.25, Betas: [2]float64{0.5, 0.999}})
		adam.Step(torch.FromSlice([]float32{0.001, -100}, 2)) // the first step is lr wide, however long the gradient
		fmt.Printf("%.2f\n", alpha.Float32s())
		return nil
	})
	fmt.Println(err)
	// Output:
	// [0.25 -0.25]
	// <nil>
}

func ExampleASGD() {
	err := torch.Do(func() error {
		w := torch.FromSlice([]float64{4}, 1)
		asgd := optim.NewASGD([]torch.Tensor{w}, optim.ASGDOptions{LR: 1})
		for range 3 {
			asgd.Step(torch.FromSlice([]float64{1}, 1))
		}
		fmt.Println(w.Item(), asgd.Averages()[0].Item()) // 3, 2, 1; the average starts at step 2
		return nil
	})
	fmt.Println(err)
	// Output:
	// 1 1.5
	// <nil>
}

func ExampleClipNorm() {
	err := torch.Do(func() error {
		g := torch.FromSlice([]float64{30, -40}, 2)
		norm := optim.ClipNorm(5, g)
		fmt.Printf("%.0f %.3f\n", norm, g.Float64s())
		return nil
	})
	fmt.Println(err)
	// Output:
	// 50 [3.000 -4.000]
	// <nil>
}

func ExampleCosine() {
	for _, epoch := range []int{0, 25, 49} {
		fmt.Printf("%.6f\n", optim.Cosine(0.025, 0.001, epoch, 50))
	}
	// Output:
	// 0.025000
	// 0.013000
	// 0.001024
}
