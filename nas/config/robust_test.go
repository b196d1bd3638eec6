package config

import "testing"

func TestRunEpochs(t *testing.T) {
	// A selection by perturbation takes the paper's 81 epochs after the search's when the cells have 4 nodes.
	c, err := Parse("x", []byte("experiment: search\nstrategy: {selection: perturbation}"))
	if err != nil {
		t.Fatal(err)
	}
	if c.RunEpochs() != 50+81 || c.Decisions() != 17 {
		t.Errorf("%d epochs, %d decisions", c.RunEpochs(), c.Decisions())
	}
}
