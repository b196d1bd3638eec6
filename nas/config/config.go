// Package config reads the typed description of one experiment from a YAML file.
//
// Keys mirror the structs below, in snake_case: Config.W.LRMin is "w.lr_min". Reading is
// strict: a key that is unknown, given twice, of the wrong type, out of range, or of no
// effect in the experiment is an error of one line that names the file, the line, the key
// and what is wanted. A key that is absent takes the value of the authors' published code
// (see [Defaults]).
//
// A file may begin with "extends: other.yaml" (one level, relative to the file) and then
// lists only what differs. Items "key.path=value" given to [Load] come last.
package config

import (
	"slices"
	"strings"
)

// Values of Config.Experiment.
const (
	Search     = "search"
	Train      = "train"
	Repeat     = "repeat"
	Comparison = "compare"
)

// Values of Data.Name.
const (
	CIFAR10     = "cifar10"
	CIFAR100    = "cifar100"
	Digits      = "digits"
	ImageFolder = "imagefolder"
	Synthetic   = "synthetic"

	PTB           = "ptb"
	WikiText2     = "wikitext2"
	Text          = "text"
	SyntheticText = "synthetic-text"
)

// Values of Data.Labels.
const (
	Fine   = "fine"
	Coarse = "coarse"
)

// Values of Data.Augment, besides ImageNet.
const (
	Crop = "crop"
	None = "none"
)

// Values of Data.OnBadFile.
const (
	Fail = "error"
	Skip = "skip"
)

// Values of Data.Check.
const (
	Decode = "decode"
	Header = "header"
	Off    = "off"
)

// Values of W.Schedule.
const (
	Cosine    = "cosine"
	StepDecay = "step"
	Restarts  = "restarts"
)

// Values of Network.Dtype.
const (
	Float32 = "float32"
	Float64 = "float64"
)

// Values of Strategy.Name.
const (
	DARTS        = "darts"
	PDARTS       = "p-darts"
	PCDARTS      = "pc-darts"
	GDAS         = "gdas"
	ENAS         = "enas"
	SharedRandom = "rsps"
	Random       = "random"
	Evolve       = "evolution"
	Reinforced   = "reinforce"
)

// Stages are those of PDARTS.
const Stages = 3

// fromScratch are the strategies that train each cell they try from scratch: their search
// has the keys of a training.
const fromScratch = "random evolution reinforce"

// Values of W.Precision.
const (
	Full = "full"
	BF16 = "bf16"
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

// Values of HVP.Method.
const (
	FiniteDifference = "finite-difference"
	Exact            = "exact"
)

// Config is one experiment. Fields that do not apply to Experiment, or to what Data.Name is,
// are zero.
//
// The tags are the one source of the key table: key is the name in a file, doc the line in
// Keys, only the experiments it applies to (all without it; fields of a section inherit it),
// of the data, images or texts, for the strategies of a search, not for others (all without
// them; likewise).
// Values are bounded by range (an interval), most (far above what is of use, where more would
// take the machine's memory or minutes before a word), oneof and nonempty; why tells what it means to
// be out of range, even why a number must be even.
type Config struct {
	Experiment string    `key:"experiment" oneof:"search train repeat compare" doc:"what to run: search, train, repeat (the paper's protocol of both), or compare (strategies on a table)"`
	Repeat     Protocol  `key:"repeat" only:"repeat"`
	Strategy   Strategy  `key:"strategy" only:"search"`
	Data       Data      `key:"data" only:"search train"`
	Network    Network   `key:"network" only:"search train"`
	W          W         `key:"w" only:"search train"`
	Space      Space     `key:"space" only:"search" of:"images"`
	Alpha      Alpha     `key:"alpha" only:"search" for:"darts p-darts pc-darts gdas"`
	Compare    Compare   `key:"compare" only:"compare"`
	Epochs     int       `key:"epochs" only:"search train" range:"[0,)" doc:"passes over the training images, or over the text"`
	Nonmono    int       `key:"nonmono" only:"search train" for:"random evolution reinforce" of:"texts" range:"[1,)" doc:"weights are averaged once an epoch validates worse than the best before the last N"`
	Seed       int64     `key:"seed" only:"search train compare" range:"[0,)" doc:"seed of every random stream of the run; of a comparison the first of its seeds"`
	Genotype   string    `key:"genotype" only:"train" nonempty:"true" doc:"cell to train: a name such as DARTS_V2, or a genotype's text"`
	Evaluate   *Evaluate `key:"evaluate" only:"search" of:"images"`
	Expect     *Expect   `key:"expect" only:"search train repeat"`
}

// Strategy says how cells are searched.
type Strategy struct {
	Name  string `key:"name" oneof:"darts p-darts pc-darts gdas enas rsps random evolution reinforce" doc:"search strategy: darts, p-darts, pc-darts and gdas by gradients of the architecture; enas and rsps (random search) with shared weights; random, evolution (regularized) and reinforce by training each cell they try"`
	Order int    `key:"order" for:"darts" oneof:"1 2" doc:"order of the architecture gradient: 1, or 2 (unrolled)"`

	Partial int `key:"partial" for:"pc-darts" range:"[1,)" doc:"operations of an edge have one in so many of its channels; network.channels are a multiple of twice that"`
	Warmup  int `key:"warmup" for:"pc-darts p-darts" range:"[0,)" doc:"epochs that train the weights alone before alpha moves; of p-darts in each stage (10)"`

	Layers      [3]int     `key:"layers" for:"p-darts" range:"[3,)" why:"too few layers for two reductions" most:"1000" doc:"cells of the network in each of three stages, which share epochs evenly"`
	Drop        [2]int     `key:"drop" for:"p-darts" range:"[0,)" doc:"least probable operations that each edge loses after the first and after the second stage"`
	SkipDropout [3]float64 `key:"skip_dropout" for:"p-darts" range:"[0,1)" doc:"first rate of a stage at which skip connections drop elements; it falls"`
	Skips       int        `key:"skips" for:"p-darts" range:"[0,)" doc:"most skip connections that the normal cell is derived with"`

	SkipLimit    int          `key:"skip_limit" for:"darts" of:"images" range:"[-1,)" doc:"skip_connects that a derived normal cell has at most: beyond, the least likely ones make way for other operations; -1 is no limit"`
	EarlyStop    EarlyStop    `key:"early_stop" for:"darts" of:"images"`
	Selection    string       `key:"selection" for:"darts" of:"images" oneof:"alpha perturbation" doc:"how cells are derived: by the largest alpha, or by perturbation: in a phase of training after epochs epochs, edge by edge, the operation is kept without which the validation accuracy falls most"`
	Perturbation Perturbation `key:"perturbation" for:"darts" of:"images"`
	Tau          [2]float64   `key:"tau" for:"gdas" range:"(0,)" doc:"temperature of the samples in the first and in the last epoch, linear between"`

	Trials    int       `key:"trials" for:"random evolution reinforce" range:"[1,)" most:"1000000" doc:"cells to try, each trained for epochs epochs; the one that validates best is found"`
	Evolution Evolution `key:"evolution" for:"evolution"`
	Reinforce Reinforce `key:"reinforce" for:"reinforce"`

	Controller Controller `key:"controller" for:"enas"`

	Candidates   int `key:"candidates" for:"enas rsps" range:"[1,)" most:"100000" doc:"architectures drawn at the end to choose from by validation accuracy with the shared weights; of rsps 1000 by default"`
	ScoreBatches int `key:"score_batches" for:"rsps" range:"[1,)" doc:"validation batches that score a candidate"`
	Finalists    int `key:"finalists" for:"rsps" range:"[1,)" doc:"best candidates, which all validation images score again"`
}

// HasAlpha tells whether c searches by α, which validation images train in each step.
func (c *Config) HasAlpha() bool { return sections["alpha"].has(c) }

// Controller is how the controller of enas learns after each epoch: by steps of Adam, each by
// the mean gradient of some architectures.
type Controller struct {
	Updates   int     `key:"updates" range:"[0,)" doc:"steps of the controller after each epoch"`
	Aggregate int     `key:"aggregate" range:"[1,)" most:"100000" doc:"architectures drawn for a step, each rewarded by its accuracy on one validation batch"`
	LR        float64 `key:"lr" range:"(0,)" doc:"learning rate of the controller"`
	Entropy   float64 `key:"entropy" range:"[0,)" doc:"what a nat of the decisions' entropy adds to a reward"`
	Squash    float64 `key:"squash" range:"(0,)" doc:"largest logit of an operation: the authors' 0.44 leaves none of seven more than 0.29 of the probability, 3 leaves 0.98"`
}

// Data says which images or which text are used, and how.
type Data struct {
	Name         string  `key:"name" oneof:"cifar10 cifar100 digits imagefolder synthetic ptb wikitext2 text synthetic-text" doc:"images: cifar10 or cifar100 (32x32, read from data.root), digits (8x8, built in), imagefolder (data.root/train/CLASS/IMAGE), synthetic (stripes, built in); texts: ptb or wikitext2 (read from data.root), text (data.root/train.txt, valid.txt, test.txt), synthetic-text (built in)"`
	Root         string  `key:"root" only:"search train compare" path:"true" doc:"folder of data sets; empty means $GODARTS_DATA, else ~/.cache/godarts; of an imagefolder the folder that holds train, of a text that of its files"`
	TrainPortion float64 `key:"train_portion" of:"images" range:"(0,1]" doc:"part of the training images that trains the weights; the rest is for alpha and validation, in training for validation instead of the test images"`
	Batch        int     `key:"batch" range:"[1,)" doc:"images per step; of a text its columns, which are read side by side"`
	Subset       int     `key:"subset" of:"images" range:"[0,)" doc:"use the first N training images only; 0 uses all"`
	Cutout       int     `key:"cutout" of:"images" range:"[0,)" doc:"side in pixels of the square that cutout blanks; 0 is off"`

	Augment   string     `key:"augment" of:"images" oneof:"crop none imagenet" doc:"of training images: crop (shifted by padding, flipped where that suits the set), none, or imagenet (random area and ratio, flip, colour jitter)"`
	Size      int        `key:"size" of:"images" range:"[0,)" doc:"side in pixels that images of imagefolder and synthetic are scaled to; 0 is 32 there, and the set's own elsewhere"`
	Channels  int        `key:"channels" of:"images" oneof:"0 1 3" doc:"1 for grey or 3 for colour images of imagefolder and synthetic; 0 is 3 there, and the set's own elsewhere"`
	Mean      [3]float64 `key:"mean" of:"images" range:"[0,1]" doc:"per channel, of pixels from 0 to 1, to normalise by; goes with data.std"`
	Std       [3]float64 `key:"std" of:"images" range:"[0,)" doc:"per channel, to normalise by; 0 means mean and std of the set (of imagefolder and synthetic those of ImageNet)"`
	Labels    string     `key:"labels" of:"images" oneof:"fine coarse" doc:"of cifar100: fine, 100 classes, or coarse, 20"`
	SplitSeed int64      `key:"split_seed" of:"images" range:"[0,)" doc:"of imagefolder: seed of the images' order, and of the fifth held out for test where there is neither test nor val; the same for search and training"`
	OnBadFile string     `key:"on_bad_file" of:"images" oneof:"error skip" doc:"of imagefolder: an image that cannot be read is an error, or is left out and counted"`
	Check     string     `key:"check" of:"images" oneof:"decode header off" doc:"of imagefolder: what is read of each image before a run starts to find those that cannot be: all (decode, as long as an epoch decodes), its header (which misses truncated files), or nothing (off)"`
	MaxPixels int        `key:"max_pixels" of:"images" range:"[1,)" doc:"of imagefolder: most pixels of an image; one that has more counts as one that cannot be read"`

	Tokens     int `key:"tokens" of:"texts" range:"[0,)" doc:"cut each split of the text to its first N tokens, and the dictionary to their words; 0 takes all"`
	SmallBatch int `key:"small_batch" of:"texts" range:"[0,)" doc:"columns in memory at a time, whose gradients are added up; divides data.batch; 0 is data.batch"`
	EvalBatch  int `key:"eval_batch" of:"texts" range:"[1,)" doc:"columns of the validation text when it is measured"`
	TestBatch  int `key:"test_batch" of:"texts" for:"random evolution reinforce" range:"[1,)" doc:"columns of the test text"`
	BPTT       int `key:"bptt" of:"texts" range:"[2,)" doc:"tokens of a column in a step, through which gradients go back; in training the mean of what is drawn"`
	BPTTDelta  int `key:"bptt_delta" of:"texts" for:"random evolution reinforce" range:"[0,)" doc:"tokens of a column in a step are at most data.bptt and this"`
}

// facts are what is known of a data set before it is opened: height and width of its images
// in pixels, their channels, and the number of training images, 0 if that is not known.
type facts struct{ side, channels, train int }

var known = map[string]facts{
	CIFAR10:     {32, 3, 50_000},
	CIFAR100:    {32, 3, 50_000},
	Digits:      {8, 1, 1437},
	ImageFolder: {32, 3, 0},
	Synthetic:   {32, 3, 1024},
}

// scaled tells whether the images have the size and channels that d says.
func (d Data) scaled() bool { return d.Name == ImageFolder || d.Name == Synthetic }

// facts are those of the data set that d names.
func (d Data) facts() facts {
	f := known[d.Name]
	if d.scaled() && d.Size > 0 {
		f.side = d.Size
	}
	if d.scaled() && d.Channels > 0 {
		f.channels = d.Channels
	}
	return f
}

// The values of the tag of.
const (
	images = "images"
	texts  = "texts"
)

// textNames are the values of Data.Name that are texts.
var textNames = []string{PTB, WikiText2, Text, SyntheticText}

// IsText tells whether d is a text; else it is images.
func (d Data) IsText() bool { return slices.Contains(textNames, d.Name) }

// kind is what d is, as the tag of says it.
func (d Data) kind() string {
	if d.IsText() {
		return texts
	}
	return images
}

// Normalisation gives mean and standard deviation of each channel, nil if they are the data
// set's own.
func (d Data) Normalisation() (mean, std []float32) {
	if d.Std == [3]float64{} {
		return nil, nil
	}
	for c := range d.facts().channels {
		mean, std = append(mean, float32(d.Mean[c])), append(std, float32(d.Std[c]))
	}
	return mean, std
}

// Network is the size and form of the network: the supernet in a search, the evaluation
// network in training.
type Network struct {
	Channels       int    `key:"channels" of:"images" range:"[2,)" even:"a reduction gives half of its channels to each of two convolutions" doc:"channels of the first cell, an even number"`
	Layers         int    `key:"layers" of:"images" not:"p-darts" range:"[3,)" why:"too few layers for two reductions" most:"1000" doc:"cells; those at layers/3 and 2*layers/3 are reductions"`
	Nodes          int    `key:"nodes" only:"search" range:"[1,)" most:"100" doc:"intermediate nodes of a cell"`
	StemMultiplier int    `key:"stem_multiplier" of:"images" range:"[1,)" doc:"channels of the stem are this times network.channels"`
	Dtype          string `key:"dtype" oneof:"float32 float64" doc:"element type of weights and images: float32 or float64"`
	Form           string `key:"form" only:"search" for:"darts p-darts" oneof:"fast plain" doc:"how the supernet is computed: fast, or plain, in the shape of the authors' code; equal but for rounding"`

	Stem            string  `key:"stem" for:"random evolution reinforce" of:"images" oneof:"cifar imagenet" doc:"form of the network: cifar, or imagenet for images of about 224x224: three convolutions that halve them, last pooling 7x7"`
	Auxiliary       bool    `key:"auxiliary" for:"random evolution reinforce" of:"images" doc:"add the auxiliary head after the second reduction (32x32 images, with stem imagenet 224x224)"`
	AuxiliaryWeight float64 `key:"auxiliary_weight" for:"random evolution reinforce" of:"images" range:"[0,)" doc:"weight of the auxiliary head's loss"`
	DropPath        float64 `key:"drop_path" for:"random evolution reinforce" of:"images" range:"[0,1)" doc:"probability of dropping a path, reached linearly over the epochs"`
	LabelSmoothing  float64 `key:"label_smoothing" for:"random evolution reinforce" of:"images" range:"[0,1)" doc:"part of each label that is spread over all classes in the training losses"`

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

// W is the optimiser of the weights. Of images: SGD with momentum, the learning rate
// following a cosine from LR to LRMin, or several, or times LRDecay after each epoch. Of texts: SGD, in
// training followed by averaged SGD, the learning rate times the part of data.bptt that a
// step has.
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
	Precision     string  `key:"precision" of:"images" oneof:"full bf16" doc:"of the passes that train the weights: full, that of network.dtype, or bf16 in convolutions and matrix products (autocast)"`
}

// Alpha is the optimiser of the architecture parameters: Adam at a constant learning rate.
type Alpha struct {
	LR          float64    `key:"lr" range:"(0,)" doc:"learning rate of alpha"`
	Betas       [2]float64 `key:"betas" range:"[0,1)" doc:"Adam's two decay rates"`
	WeightDecay float64    `key:"weight_decay" range:"[0,)" doc:"L2 term of alpha, added to its gradient"`
	HVP         HVP        `key:"hvp" for:"darts"`
	Corrected   bool       `key:"corrected" for:"darts" of:"texts" doc:"second order: the gradient of what training's step does to validation, instead of the authors' (clipping, tied weights and dropout masks differ)"`
}

// HVP says how the Hessian-vector product of the second order is taken. In first order, which
// takes none, only the default values are accepted.
type HVP struct {
	Method string  `key:"method" oneof:"finite-difference exact" doc:"second order's Hessian-vector product: finite-difference, or exact (by a graph of the plain form)"`
	Radius float64 `key:"radius" range:"(0,)" doc:"distance in weights of the finite difference's points from w, an L2 norm"`
}

// Evaluate asks a search to train, at its end, the found cell and Random random cells of the
// same space. Data, but for batch and cutout, dtype and seed are those of the search.
type Evaluate struct {
	Random  int               `key:"random" range:"[0,)" most:"10000" doc:"random cells of the same space to train beside the found one"`
	Batch   int               `key:"batch" range:"[1,)" doc:"images per step when cells are evaluated"`
	Cutout  int               `key:"cutout" range:"[0,)" doc:"as data.cutout, when cells are evaluated"`
	Network EvaluationNetwork `key:"network"`
	W       W                 `key:"w"`
	Epochs  int               `key:"epochs" range:"[0,)" doc:"passes over the training images for each evaluated cell"`
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

// Expect is the published result a report compares with: of images errors in percent, of texts
// a perplexity.
type Expect struct {
	TestError float64 `key:"test_error" of:"images" range:"[0,100]" doc:"published test error in percent"`
	TopFive   float64 `key:"top_five" of:"images" range:"[0,100]" doc:"published top-5 test error in percent; 0 if not published"`
	Std       float64 `key:"std" of:"images" range:"[0,100]" doc:"its standard deviation over runs, in percent; 0 if not published"`

	TestPerplexity float64 `key:"test_perplexity" of:"texts" range:"[1,)" doc:"published test perplexity"`

	Source string `key:"source" doc:"where the number was published"`

	Changed []string `key:"changed" doc:"keys in which the settings differ from those of the published figure, which is printed with them; loading a config adds those that it changes"`
}

// FromScratch tells whether c is a search that trains every cell it tries from scratch.
func (c *Config) FromScratch() bool {
	return c.Experiment == Search && slices.Contains(strings.Fields(fromScratch), c.Strategy.Name)
}

// Trial returns the training by which such a search tries a cell: as c says, measured on what
// Data.TrainPortion holds out.
func (c *Config) Trial(genotype string) *Config {
	t := *c
	t.Experiment, t.Genotype = Train, genotype
	t.Network.Nodes = 0
	t.Strategy, t.Space, t.Evaluate, t.Expect = Strategy{}, Space{}, nil, nil
	return &t
}

// Training returns the train experiment that c's Evaluate section describes, nil if c has
// none. Genotype is empty: the caller fills in the cell, found or random. Expect stays with
// the search.
func (c *Config) Training() *Config {
	e := c.Evaluate
	if e == nil {
		return nil
	}
	data := c.Data
	data.TrainPortion, data.Batch, data.Cutout = 1, e.Batch, e.Cutout
	return &Config{
		Experiment: Train,
		Data:       data,
		Network: Network{
			Channels:        e.Network.Channels,
			Layers:          e.Network.Layers,
			StemMultiplier:  e.Network.StemMultiplier,
			Dtype:           c.Network.Dtype,
			Stem:            SmallImages,
			Auxiliary:       e.Network.Auxiliary,
			AuxiliaryWeight: e.Network.AuxiliaryWeight,
			DropPath:        e.Network.DropPath,
			LabelSmoothing:  e.Network.LabelSmoothing,
		},
		W:      e.W,
		Epochs: e.Epochs,
		Seed:   c.Seed,
	}
}
