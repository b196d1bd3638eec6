package pickle_test

import (
	"testing"

	"godarts/torch/pickle"
	"godarts/torch/torchtest"
)

func TestHostileArguments(t *testing.T) {
	// Every exported function and method returns or panics with *Error, and the process goes on, when an argument makes no sense.
	content := zipPickle(t, inDict(pair), map[string]string{"0": pairData})
	torchtest.Hostile{
		Functions: []any{pickle.Open, pickle.Read},
		Values: []any{
			func() *pickle.File {
				p, err := pickle.Read(content)
				if err != nil {
					panic(err)
				}
				return p
			},
			func() []byte { return content },
		},
	}.Run(t)
}
