package config

import (
	"slices"
	"strings"

	_ "godarts/nas/data/builtin" // the data sets that every config can name
	_ "godarts/nas/data/cifar"
	"godarts/nas/data/corpus"
	_ "godarts/nas/data/folder"
	"godarts/nas/data/sets"
)

// Values of Data.Name that configs, or other packages, treat in a way of their own.
const (
	CIFAR10     = "cifar10"
	CIFAR100    = "cifar100"
	ImageFolder = "imagefolder"

	PTB       = "ptb"
	WikiText2 = "wikitext2"
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

// Data says which images or which text are used, and how.
type Data struct {
	Name         string  `key:"name" oneof:"DATA" doc:"a registered data set"`
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
	TestBatch  int `key:"test_batch" of:"texts" by:"scratch" range:"[1,)" doc:"columns of the test text"`
	BPTT       int `key:"bptt" of:"texts" range:"[2,)" doc:"tokens of a column in a step, through which gradients go back; in training the mean of what is drawn"`
	BPTTDelta  int `key:"bptt_delta" of:"texts" by:"scratch" range:"[0,)" doc:"tokens of a column in a step are at most data.bptt and this"`
}

// dataNames lists the values of Data.Name: images, then texts. A program may have registered some.
func dataNames() []string { return slices.Concat(sets.Names(), corpus.Names()) }

// dataDoc returns the meaning of Data.Name: each data set, and what it is.
func dataDoc() string {
	imageDoc := func(name string) string { s, _ := sets.Find(name); return s.Doc }
	textDoc := func(name string) string { t, _ := corpus.Find(name); return t.Doc }
	return "images: " + explainedData(sets.Names(), imageDoc) + "; texts: " + explainedData(corpus.Names(), textDoc)
}

// explainedData lists names, neighbours of one doc together: "cifar10 or cifar100 (32x32), digits (8x8)".
func explainedData(names []string, doc func(name string) string) string {
	var parts []string
	for i := 0; i < len(names); {
		first := i
		for i < len(names) && doc(names[i]) == doc(names[first]) {
			i++
		}
		part := strings.Join(names[first:i], " or ")
		if d := doc(names[first]); d != "" {
			part += " (" + d + ")"
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, ", ")
}

// facts is what is known of a set of images before it is opened: the side of the images in pixels, their channels,
// and the number of training images, 0 if that is unknown.
type facts struct{ side, channels, train int }

// facts returns the facts of the data set that d names.
func (d Data) facts() facts {
	set, _ := sets.Find(d.Name)
	f := facts{set.Side, set.Channels, set.Train}
	if set.Scaled && d.Size > 0 {
		f.side = d.Size
	}
	if set.Scaled && d.Channels > 0 {
		f.channels = d.Channels
	}
	return f
}

// Kinds of data, see Data.Kind: the values of the tag of.
const (
	Images = "images"
	Texts  = "texts"

	images = Images
	texts  = Texts
)

// IsText reports whether d is a text; otherwise it is a set of images.
func (d Data) IsText() bool {
	_, ok := corpus.Find(d.Name)
	return ok
}

// Kind is what d is: Images or Texts.
func (d Data) Kind() string {
	if d.IsText() {
		return texts
	}
	return images
}

// Normalisation returns the mean and the standard deviation of each channel, nil for the data set's own.
func (d Data) Normalisation() (mean, std []float32) {
	if d.Std == [3]float64{} {
		return nil, nil
	}
	for c := range d.facts().channels {
		mean, std = append(mean, float32(d.Mean[c])), append(std, float32(d.Std[c]))
	}
	return mean, std
}

// Columns returns how many columns of a text are in memory at a time.
func (d Data) Columns() int {
	if d.SmallBatch > 0 {
		return d.SmallBatch
	}
	return d.Batch
}
