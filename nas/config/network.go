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
	Form           string `key:"form" only:"search" by:"named" oneof:"fast plain" doc:"how the supernet is computed: fast, or plain, in the shape of the authors' code; equal but for rounding"`

	Stem            string  `key:"stem" by:"scratch" of:"images" oneof:"cifar imagenet" doc:"form of the network: cifar, or imagenet for images of about 224x224: three convolutions that halve them, last pooling 7x7"`
	Auxiliary       bool    `key:"auxiliary" by:"scratch" of:"images" doc:"add the auxiliary head after the second reduction (32x32 images, with stem imagenet 224x224)"`
	AuxiliaryWeight float64 `key:"auxiliary_weight" by:"scratch" of:"images" range:"[0,)" doc:"weight of the auxiliary head's loss"`
	DropPath        float64 `key:"drop_path" by:"scratch" of:"images" range:"[0,1)" doc:"probability of dropping a path, reached linearly over the epochs"`
	LabelSmoothing  float64 `key:"label_smoothing" by:"scratch" of:"images" range:"[0,1)" doc:"part of each label that is spread over all classes in the training losses"`

	Hidden     int     `key:"hidden" of:"texts" range:"[1,)" doc:"units of the state, and of an embedded word"`
	Dropout    Dropout `key:"dropout" of:"texts"`
	Activation float64 `key:"activation" of:"texts" range:"[0,)" doc:"coefficient of the mean square of outputs, after dropout, in the loss that trains the weights"`
	Slowness   float64 `key:"slowness" of:"texts" range:"[0,)" doc:"coefficient of the mean square of what outputs change by from token to token, likewise"`
}

// Dropout are the probabilities to drop in passes that train, one draw for all tokens of a
// column in a step.
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
