package config

// Values of Quantise.Range.
const (
	FullRange    = "full"
	ReducedRange = "reduced"
)

// Quantise makes of a training one of a network in integers of 8 bits: it begins with the trained network From,
// whose tensors it calibrates, and trains it, rounded, for the epochs; with 0 epochs it only calibrates.
type Quantise struct {
	From   string `key:"from" nonempty:"true" doc:"run or export whose trained network is computed in integers of 8 bits: calibrated, and trained in them for the epochs"`
	Method string `key:"method" oneof:"min-max percentile mse" doc:"how the range of a tensor is chosen: min-max, percentile (without 0.005 % on each side), or mse (the least squared error)"`
	Images int    `key:"images" range:"[1,)" doc:"training images to calibrate on; more than there are means all"`
	Range  string `key:"range" oneof:"full reduced" doc:"integers of weights: full, -127 to 127, or reduced, -64 to 64, exact on processors without VNNI"`
}

func quantiseDefaults() *Quantise {
	return &Quantise{Method: "mse", Images: 512, Range: FullRange}
}

// quantiseRules checks the section quantise, and refuses keys without effect on a network in integers.
func (c *Config) quantiseRules() *Problem {
	if c.Quantise == nil {
		return nil
	}
	const from = "quantise.from"
	refuse := func(key, format string, args ...any) *Problem { return Conflict(key, from, format, args...) }
	const on = "has no effect on a network in integers"
	switch n := c.Network; {
	case c.Quantise.From == "":
		return &Problem{Key: from, Others: []string{"quantise.method", "quantise.images", "quantise.range"}, Text: "is missing, want a run or an export"}
	case c.Pruned != nil && c.Pruned.Weights != "":
		return refuse("pruned.weights", "%s, want none", on)
	case n.Auxiliary:
		return refuse("network.auxiliary", "true %s, want false", on)
	case n.DropPath != 0:
		return refuse("network.drop_path", "%v %s, want 0", n.DropPath, on)
	case n.Dtype != Float32:
		return refuse("network.dtype", "%s %s, want %s", n.Dtype, on, Float32)
	case c.W.Precision == BF16:
		return refuse("w.precision", "%s does not hold the integers of a sum, want %s", BF16, Full)
	}
	return nil
}
