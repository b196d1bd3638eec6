package optim_test

import (
	"testing"

	"godarts/torch"
	"godarts/torch/optim"
	"godarts/torch/torchtest"
)

func TestHostileArguments(t *testing.T) {
	// Every exported function and method returns or panics with *torch.Error, and the process goes on, when an argument makes no sense.
	parameters := func() []torch.Tensor { return []torch.Tensor{torch.Ones([]int{2, 3}, torch.Options{})} }
	adam := func() *optim.Adam { return optim.NewAdam(parameters(), optim.AdamOptions{LR: 0.1}) }
	asgd := func() *optim.ASGD { return optim.NewASGD(parameters(), optim.ASGDOptions{LR: 0.1, Lambd: 0.1}) }
	sgd := func() *optim.SGD { return optim.NewSGD(parameters(), optim.SGDOptions{LR: 0.1, Momentum: 0.9}) }
	torchtest.Hostile{
		Functions: []any{optim.Clip, optim.ClipNorm, optim.Cosine, optim.CosineRestarts, optim.NewASGD, optim.NewAdam, optim.NewRate, optim.NewSGD, optim.Norm},
		Values: []any{
			func() *optim.Adam { return adam() },
			func() *optim.ASGD { return asgd() },
			func() *optim.SGD { return sgd() },
			func() *optim.Rate { return optim.NewRate(0.1, parameters()[0]) },
			func() optim.AdamOptions { return optim.AdamOptions{LR: 0.1} },
			func() optim.ASGDOptions { return optim.ASGDOptions{LR: 0.1} },
			func() optim.SGDOptions { return optim.SGDOptions{LR: 0.1, Momentum: 0.9} },
		},
		Arguments: map[string]func() []any{
			"Adam.LoadStateDict": func() []any { return []any{adam(), adam().StateDict()} },
			"ASGD.LoadStateDict": func() []any { return []any{asgd(), asgd().StateDict()} },
			"SGD.LoadStateDict":  func() []any { return []any{sgd(), sgd().StateDict()} },
		},
	}.Run(t)
}
