package config

// Values of Network.Dtype.
const (
	Float32 = "float32"
	Float64 = "float64"
)

// Values of Network.Form.
const (
	Fast  = "fast"
	Plain = "plain"
)

// Values of Network.Stem; ImageNet is one of Data.Augment too.
const (
	SmallImages = "cifar"
	ImageNet    = "imagenet"
)

// Network is the size and form of the network: the supernet in a search, the evaluation
// network in training.
type Network struct {
	Channels       int    `key:"channels" of:"images" range:"[2,)" even:"a reduction gives half of its channels to each of two convolutions" doc:"channels of the first cell, an even number"`
	Layers         int    `key:"layers" of:"images" range:"[3,)" why:"too few layers for two reductions" most:"1000" doc:"cells; those at layers/3 and 2*layers/3 are reductions"`
	Nodes          int    `key:"nodes" only:"search" range:"[1,)" most:"100" doc:"intermediate nodes of a cell"`
	StemMultiplier int    `key:"stem_multiplier" of:"images" range:"[1,)" doc:"channels of the stem are this times network.channels"`
	Dtype          string `key:"dtype" oneof:"float32 float64" doc:"element type of weights and images: float32 or float64"`
	Form           string `key:"form" only:"search" by:"named" oneof:"fast plain" doc:"how the supernet is computed: fast, by formulas (on a GPU in the wide form), or plain, in the shape of the authors' code; equal but for rounding"`

	Stem            string  `key:"stem" by:"scratch" of:"images" oneof:"cifar imagenet" doc:"form of the network: cifar, or imagenet for images of about 224x224: three convolutions that halve them, last pooling 7x7"`
	Auxiliary       bool    `key:"auxiliary" by:"scratch" of:"images" doc:"add the auxiliary head after the second reduction (32x32 images, with stem imagenet 224x224)"`
	AuxiliaryWeight float64 `key:"auxiliary_weight" by:"scratch" of:"images" range:"[0,)" doc:"weight of the auxiliary head's loss"`
	DropPath        float64 `key:"drop_path" by:"scratch" of:"images" range:"[0,1)" doc:"probability of dropping a path, reached linearly over the epochs"`
	LabelSmoothing  float64 `key:"label_smoothing" by:"scratch" of:"images" range:"[0,1)" doc:"part of each label that is spread over all classes in the training losses"`

	Hidden     int     `key:"hidden" of:"texts" range:"[1,)" doc:"units of the state, and of an embedded word"`
	Dropout    Dropout `key:"dropout" of:"texts"`
	Activation float64 `key:"activation" of:"texts" range:"[0,)" doc:"coefficient of the mean square of outputs, after dropout, in the loss that trains the weights"`
	Slowness   float64 `key:"slowness" of:"texts" range:"[0,)" doc:"coefficient of the mean square of what outputs change by from token to token, in the loss that trains the weights"`
}

// Dropout has the probabilities of dropping in passes that train. One draw holds for all tokens of a column in a
// step.
type Dropout struct {
	Output    float64 `key:"output" range:"[0,1)" doc:"probability to drop a unit of the cell's output"`
	State     float64 `key:"state" range:"[0,1)" doc:"probability to drop a unit of the states, inside of the cell's products"`
	Input     float64 `key:"input" range:"[0,1)" doc:"probability to drop a unit of the cell's input, inside of its first product"`
	Embedding float64 `key:"embedding" range:"[0,1)" doc:"probability to drop a unit of an embedded word"`
	Word      float64 `key:"word" range:"[0,1)" doc:"probability to drop a word of the dictionary, everywhere in a step"`
}

// EvaluationNetwork is the part of Network that an Evaluate section chooses.
type EvaluationNetwork struct {
	Channels        int     `key:"channels" range:"[2,)" even:"a reduction gives half of its channels to each of two convolutions" doc:"channels of the first cell, an even number"`
	Layers          int     `key:"layers" range:"[3,)" why:"too few layers for two reductions" most:"1000" doc:"cells; those at layers/3 and 2*layers/3 are reductions"`
	StemMultiplier  int     `key:"stem_multiplier" range:"[1,)" doc:"channels of the stem are this times evaluate.network.channels"`
	Auxiliary       bool    `key:"auxiliary" doc:"add the auxiliary head after the second reduction (32x32 images only)"`
	AuxiliaryWeight float64 `key:"auxiliary_weight" range:"[0,)" doc:"weight of the auxiliary head's loss"`
	DropPath        float64 `key:"drop_path" range:"[0,1)" doc:"probability of dropping a path, reached linearly over the epochs"`
	LabelSmoothing  float64 `key:"label_smoothing" range:"[0,1)" doc:"part of each label that is spread over all classes in the training losses"`
}

// Values of Space.Name: all operations of DARTS, and the reduced spaces of arXiv 1909.09656.
const (
	AllOperations = "darts"
)

// Space is the set of cells that a search chooses from: the operations of each edge. Network.Nodes is the number
// of nodes.
type Space struct {
	Name       string     `key:"name" oneof:"darts s1 s2 s3" doc:"operations to choose from: darts, all eight on every edge, or a reduced space of 4 nodes: s1 (two on each edge), s2 (skip_connect, sep_conv_3x3), s3 (with none)"`
	Operations []string   `key:"operations" oneof:"OPERATION" doc:"operations of every edge, in place of those of space.name"`
	Normal     [][]string `key:"normal" oneof:"OPERATION" doc:"operations of each edge of normal cells, node by node, by input"`
	Reduce     [][]string `key:"reduce" oneof:"OPERATION" doc:"operations of each edge of reduction cells, node by node, by input"`

	Parameters int `key:"parameters" by:"named" range:"[0,)" doc:"most weights that the network of a cell may have, the auxiliary head aside; 0 is no limit"`

	MultiplyAdds int `key:"multiply_adds" by:"named" of:"images" range:"[0,)" doc:"most multiply-adds for an image that the network of a cell may have; 0 is no limit"`

	Latency LatencyBound `key:"latency" by:"named" of:"images"`
}

// LatencyBound bounds how long the edges of a cell's network take by a table.
type LatencyBound struct {
	Most  float64 `key:"most" range:"[0,)" doc:"most seconds that the edges of a cell's network may take by space.latency.table; 0 is no limit"`
	Table string  `key:"table" path:"latencies" doc:"file with the times of operations, which darts latency CONFIG --table FILE writes"`
}

// rules refuses a bound without a table, and a table without a bound.
func (b LatencyBound) rules() *Problem {
	const most, table = "space.latency.most", "space.latency.table"
	switch {
	case b.Most > 0 && b.Table == "":
		return Conflict(most, table, "%v needs a table, want a file in %s, which `darts latency CONFIG --table FILE` writes", b.Most, table)
	case b.Most == 0 && b.Table != "":
		return Conflict(table, most, "has no effect with %s 0, want a bound", most)
	}
	return nil
}

// Values of W.Schedule.
const (
	Cosine    = "cosine"
	StepDecay = "step"
	Restarts  = "restarts"
)

// Values of W.Precision.
const (
	Full = "full"
	BF16 = "bf16"
	TF32 = "tf32"
)

// Values of HVP.Method.
const (
	FiniteDifference = "finite-difference"
	Exact            = "exact"
)

// W is the optimiser of the weights. On images it is SGD with momentum; the learning rate follows one cosine from
// LR to LRMin, or several, or is multiplied by LRDecay after each epoch. On texts it is SGD, in training followed
// by averaged SGD; the learning rate is multiplied by the length of the step over data.bptt.
type W struct {
	LR            float64 `key:"lr" range:"(0,)" doc:"learning rate of the weights in the first epoch"`
	LRMin         float64 `key:"lr_min" of:"images" range:"[0,)" doc:"learning rate the cosine falls to, at most lr"`
	Schedule      string  `key:"schedule" of:"images" oneof:"cosine step restarts" doc:"of the learning rate: cosine, from lr to lr_min over all epochs, restarts, one such cosine after the other, or step, times lr_decay after each epoch"`
	LRDecay       float64 `key:"lr_decay" of:"images" range:"(0,1]" doc:"factor of the schedule step"`
	Restart       int     `key:"restart" of:"images" range:"[1,)" doc:"epochs of the first cosine of the schedule restarts"`
	RestartFactor int     `key:"restart_factor" of:"images" range:"[1,)" doc:"how many times as long as the one before each further cosine is"`
	Momentum      float64 `key:"momentum" of:"images" range:"[0,1)" doc:"SGD momentum"`
	Nesterov      bool    `key:"nesterov" of:"images" doc:"Nesterov's momentum: steps along the gradient and w.momentum times the average"`
	WeightDecay   float64 `key:"weight_decay" range:"[0,)" doc:"L2 term of the weights, times the weight added to its gradient"`
	GradClip      float64 `key:"grad_clip" range:"(0,)" doc:"largest L2 norm of all weight gradients together"`
	Precision     string  `key:"precision" of:"images" oneof:"full bf16 tf32" doc:"of the passes that train the weights: full, that of network.dtype; bf16 in convolutions and matrix products (autocast); or, on a GPU, their factors rounded to tf32, 10 bits of mantissa"`
}

// Alpha is the optimiser of the architecture parameters: Adam at a constant learning rate.
type Alpha struct {
	LR          float64    `key:"lr" range:"(0,)" doc:"learning rate of alpha"`
	Betas       [2]float64 `key:"betas" range:"[0,1)" doc:"Adam's two decay rates"`
	WeightDecay float64    `key:"weight_decay" range:"[0,)" doc:"L2 term of alpha, added to its gradient"`
	Cost        Cost       `key:"cost" by:"named" of:"images"`
	HVP         HVP        `key:"hvp" by:"named"`
	Corrected   bool       `key:"corrected" by:"named" of:"texts" doc:"second order: the gradient of what training's step does to validation, instead of the authors' (clipping, tied weights and dropout masks differ)"`
}

// Values of Cost.Of and Objective.Of; NoCost is one of the latter only.
const (
	MultiplyAdds = "multiply-adds"
	Parameters   = "parameters"
	Latency      = "latency"
	NoCost       = "none"
)

// Cost is a term of the loss that alpha minimises: what the network of a derived cell is expected to cost, of the
// sizes that the search's trainings have. See darts.CostTerm.
type Cost struct {
	Of     string  `key:"of" oneof:"multiply-adds parameters latency" doc:"what the network of a derived cell costs: multiply-adds for an image, parameters, or latency, the seconds that its edges take by alpha.cost.table"`
	Table  string  `key:"table" path:"latencies" doc:"with alpha.cost.of latency: file with the times of operations, which darts latency CONFIG --table FILE writes"`
	Weight float64 `key:"weight" range:"[0,)" doc:"weight of the expected cost in the loss of alpha; 0 is off. Without a target the term is this times the cost as a multiple of what it is at alpha 0"`
	Target float64 `key:"target" range:"[0,)" doc:"cost to aim at: the term is alpha.cost.weight times the relative distance from it; 0 is none"`
}

// rules refuses keys that have no effect without a weight.
func (c Cost) rules() *Problem {
	const weight = "alpha.cost.weight"
	switch {
	case c.Weight > 0:
	case c.Target > 0:
		return Conflict("alpha.cost.target", weight, "%v has no effect with %s 0, want a weight", c.Target, weight)
	case c.Of != "" && c.Of != MultiplyAdds:
		return Conflict("alpha.cost.of", weight, "%s has no effect with %s 0, want a weight", c.Of, weight)
	case c.Table != "":
		return Conflict("alpha.cost.table", weight, "has no effect with %s 0, want a weight", weight)
	}
	return tableRules("alpha.cost", c.Of, c.Table)
}

// tableRules refuses a section that counts latency without a table, or has one for something else.
func tableRules(section, of, table string) *Problem {
	key, other := section+".table", section+".of"
	switch {
	case of == Latency && table == "":
		return Conflict(other, key, "latency needs a table, want a file in %s, which `darts latency CONFIG --table FILE` writes", key)
	case of != Latency && table != "":
		return Conflict(key, other, "has no effect with %s %s, want %s", other, of, Latency)
	}
	return nil
}

// Objective is what a search from scratch lessens besides the error: it belongs to the keys of strategies.
type Objective struct {
	Of    string `key:"of" oneof:"none multiply-adds parameters latency" doc:"a second objective besides the validation error, of which less is better: multiply-adds for an image or parameters of a cell's network, or latency, the seconds that its edges take by strategy.cost.table; result.json then has the front of both"`
	Table string `key:"table" path:"latencies" doc:"with strategy.cost.of latency: file with the times of operations, which darts latency CONFIG --table FILE writes"`
}

// Rules refuses an objective of latency without a table, and a table without it.
func (o Objective) Rules() *Problem { return tableRules("strategy.cost", o.Of, o.Table) }

// HVP says how the Hessian-vector product of the second order is taken. In first order, which
// takes none, only the default values are accepted.
type HVP struct {
	Method string  `key:"method" oneof:"finite-difference exact" doc:"second order's Hessian-vector product: finite-difference, or exact (by a graph of the plain form)"`
	Radius float64 `key:"radius" range:"(0,)" doc:"distance in weights of the finite difference's points from w, an L2 norm"`
}
