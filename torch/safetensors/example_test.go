package safetensors_test

import (
	"bytes"
	"fmt"

	"godarts/torch"
	"godarts/torch/safetensors"
)

func ExampleWrite() {
	err := torch.Do(func() error {
		var file bytes.Buffer
		sd := torch.StateDict{"fc.weight": torch.Eye(2, torch.Options{}), "steps": torch.FromSlice([]int64{7}, 1)}
		if err := safetensors.Write(&file, sd, map[string]string{"epoch": "3"}); err != nil {
			return err
		}
		s, err := safetensors.Read(file.Bytes())
		if err != nil {
			return err
		}
		defer s.Close()
		for _, name := range s.Names() {
			x, err := s.Load(name, torch.Options{Dtype: torch.Float64})
			if err != nil {
				return err
			}
			fmt.Println(name, x)
		}
		fmt.Println("epoch", s.Metadata()["epoch"])
		return nil
	})
	if err != nil {
		fmt.Println(err)
	}
	// Output:
	// fc.weight float64[2, 2]{1, 0, 0, 1}
	// steps float64[1]{7}
	// epoch 3
}
