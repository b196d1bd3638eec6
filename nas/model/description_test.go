package model

import (
	"encoding/json"
	"testing"

	"godarts/cells/genotype"
	"godarts/nas/finite"
	"godarts/torch"
)

func FuzzDescription(f *testing.F) {
	// What a file of weights says of its network is refused, or checked without a panic, whatever it is.
	g, err := genotype.Lookup("DARTS_V2")
	if err != nil {
		f.Fatal(err)
	}
	whole, err := finite.Marshal(Description{Genotype: g, InputChannels: 1, Classes: 2, Size: 8, Mean: []float32{0.5}, Std: []float32{1}, ClassNames: []string{"a", "b"}})
	if err != nil {
		f.Fatal(err)
	}
	for _, text := range []string{string(whole), `{}`, `{"layers": -1}`, `{"channels": 1e300}`, `{"genotype": "DARTS_V2", "mean": null}`} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var d Description
		if json.Unmarshal([]byte(text), &d) == nil && d.Check() == nil {
			_ = d.NetworkOptions(torch.Options{}).Check(d.Genotype) // an error or none, and no panic
		}
	})
}
