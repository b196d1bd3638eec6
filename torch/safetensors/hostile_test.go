package safetensors_test

import (
	"bytes"
	"io"
	"testing"

	"godarts/torch"
	"godarts/torch/safetensors"
	"godarts/torch/torchtest"
)

func TestHostileArguments(t *testing.T) {
	// Every exported function and method returns or panics with *Error, and the process goes on, when an argument makes no sense.
	x := func() torch.Tensor { return torch.Ones([]int{2, 3}, torch.Options{}) }
	content, err := safetensors.WithSum(nil, nil, "sum")
	if err != nil {
		t.Fatal(err)
	}
	torchtest.Hostile{
		Functions: []any{safetensors.Open, safetensors.Read, safetensors.WithSum, safetensors.Write},
		Values: []any{
			x,
			func() *safetensors.File {
				s, err := safetensors.Read(encoded(t, torch.StateDict{"a": x()}, nil))
				if err != nil {
					panic(err)
				}
				return s
			},
			func() *bytes.Buffer { return new(bytes.Buffer) },
			func() []byte { return content },
		},
		Arguments: map[string]func() []any{
			"Write": func() []any { return []any{io.Writer(new(bytes.Buffer)), torch.StateDict{"a": x()}, nil} },
		},
	}.Run(t)
}
