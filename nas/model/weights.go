package model

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"

	"godarts/cells"
	"godarts/cells/genotype"
	"godarts/nas"
	"godarts/nas/data"
	"godarts/nas/finite"
	"godarts/nas/names"
	"godarts/nas/runfolder"
	"godarts/torch"
	"godarts/torch/nn"
	"godarts/torch/pickle"
	"godarts/torch/safetensors"
)

// Description describes the network in a file of weights: enough to make the network and to feed it.
type Description struct {
	Genotype       genotype.Genotype `json:"genotype"`
	Channels       int               `json:"channels"`
	Layers         int               `json:"layers"`
	Classes        int               `json:"classes"`
	InputChannels  int               `json:"input_channels"`
	Size           int               `json:"size"` // side of the images in pixels
	StemMultiplier int               `json:"stem_multiplier"`
	ImageNet       bool              `json:"imagenet"`
	Auxiliary      bool              `json:"auxiliary"`
	Mean           []float32         `json:"mean"` // by channel, of values from 0 to 1
	Std            []float32         `json:"std"`
	ClassNames     []string          `json:"class_names"`

	Widths    *genotype.Widths `json:"widths,omitempty"`    // of a pruned network: the channels that are left
	Quantised *Quantised       `json:"quantised,omitempty"` // of a network in integers of 8 bits

	Units      int    `json:"units,omitempty"`      // of a language model, which of the above has only a genotype
	Dictionary string `json:"dictionary,omitempty"` // of its words, as corpus.Corpus.Dictionary returns it

	Tokens int      `json:"tokens,omitempty"` // of an exported language model: the number of its words
	Words  []string `json:"words,omitempty"`  // of an exported language model, in the order of their numbers; nil if the text was not at hand
}

// AuxiliaryHead is the prefix of the auxiliary head's weights.
const AuxiliaryHead = "auxiliary_head."

// DescriptionKey is the metadata key of the description, as JSON.
const DescriptionKey = "darts"

// weightsSum is the metadata key of the file's checksum.
const weightsSum = "darts.sha256"

// Describe describes the network of the cells g of these sizes, trained on set.
func Describe(g genotype.Genotype, o cells.NetworkOptions, set *data.Set) Description {
	return Description{
		Genotype: g, Channels: o.Channels, Layers: o.Layers, Classes: o.Classes, InputChannels: o.InputChannels,
		Size: o.Size, StemMultiplier: o.StemMultiplier, ImageNet: o.ImageNet, Auxiliary: o.Auxiliary,
		Mean: set.Train.Mean, Std: set.Train.Std, ClassNames: set.ClassNames,
		Widths: o.Widths,
	}
}

// NetworkOptions returns the sizes of the described network of images.
func (d Description) NetworkOptions(to torch.Options) cells.NetworkOptions {
	return cells.NetworkOptions{
		Channels: d.Channels, Layers: d.Layers, Classes: d.Classes, InputChannels: d.InputChannels, Size: d.Size,
		StemMultiplier: d.StemMultiplier, ImageNet: d.ImageNet, Auxiliary: d.Auxiliary, Widths: d.Widths, Options: to,
	}
}

// Check returns an error if no training writes this description.
func (d Description) Check() error {
	switch {
	case len(d.Mean) != d.InputChannels || len(d.Std) != d.InputChannels:
		return fmt.Errorf("%d means and %d standard deviations for %d channels", len(d.Mean), len(d.Std), d.InputChannels)
	case len(d.ClassNames) != d.Classes:
		return fmt.Errorf("%d names for %d classes", len(d.ClassNames), d.Classes)
	}
	return nil
}

// WriteWeights writes a trained network to the run folder.
func WriteWeights(r *nas.Run, net nn.Module, d Description) error {
	content, err := EncodeWeights(net.StateDict(), d)
	if err != nil {
		return err
	}
	return r.Write(runfolder.WeightsFile, content)
}

// EncodeWeights returns the file of a network with this state dict, under the reference's names.
func EncodeWeights(sd torch.StateDict, d Description) ([]byte, error) {
	text, err := finite.Marshal(d)
	if err != nil {
		return nil, fmt.Errorf("nas: weights: %w", err)
	}
	return safetensors.WithSum(sd, map[string]string{DescriptionKey: string(text)}, weightsSum)
}

// OpenWeights opens a file of weights and verifies its checksum. Files of other programs, and of this
// one's first versions, have none.
func OpenWeights(file string) (*safetensors.File, error) {
	st, err := safetensors.Open(file)
	if err != nil {
		return nil, err
	}
	sum := weightsSum
	if st.Metadata()[runfolder.MetaFormat] == runfolder.CheckpointFormat {
		sum = runfolder.MetaSum
	}
	if found, fits := st.CheckSum(sum); found && !fits {
		st.Close()
		return nil, fmt.Errorf("nas: weights %s are damaged: their checksum does not fit; restore the file, or delete the run's %s and resume the run, which writes both again",
			file, runfolder.ResultFile)
	}
	return st, nil
}

// Described returns the description in a file of weights of a network of images.
func Described(file string) (Description, error) {
	st, err := OpenWeights(file)
	if err != nil {
		return Description{}, err
	}
	defer st.Close()
	return readDescription(st, file)
}

// readDescription returns the description in an open file of weights of a network of images.
func readDescription(st *safetensors.File, file string) (d Description, err error) {
	d, err = describedIn(st, file)
	if err == nil && d.Units > 0 {
		return d, fmt.Errorf("nas: %s is of a language model; only networks of images can classify", file)
	}
	return d, err
}

// describedIn returns the description in an open file of weights, of images or of a text.
func describedIn(st *safetensors.File, file string) (d Description, err error) {
	text, ok := st.Metadata()[DescriptionKey]
	if !ok {
		return d, fmt.Errorf("nas: %s does not say what network it is of: no training of this program wrote it", file)
	}
	err = json.Unmarshal([]byte(text), &d)
	if err == nil && d.Units == 0 {
		err = d.Check()
	}
	if err != nil {
		return d, fmt.Errorf("nas: %s: metadata %q: %w", file, DescriptionKey, err)
	}
	return d, nil
}

// ReadWeights loads a state dict into the current scope, from a .safetensors file or one that PyTorch's
// torch.save wrote. From a checkpoint it takes the entry state_dict, model_state_dict, model or net. It
// removes those of the prefixes module. (data-parallel training, averages), _orig_mod. (torch.compile),
// model. and net. that all names share, also nested ones.
func ReadWeights(file string) (sd torch.StateDict, err error) {
	err = WithWeights(file, func(w StoredWeights) error {
		sd, err = w.load()
		return err
	})
	return sd, err
}

// StoredWeights is a state dict in an open file.
type StoredWeights struct {
	source interface {
		Names() []string
		Load(name string, o torch.Options) (torch.Tensor, error)
		Info(name string) (torch.Dtype, []int, error)
	}
	Names  []string // in the file
	Prefix string   // what precedes the network's own names in them
}

// WithWeights opens a file of weights, calls use with it and closes it.
func WithWeights(file string, use func(w StoredWeights) error) error {
	var w StoredWeights
	if filepath.Ext(file) == ".safetensors" {
		st, err := OpenWeights(file)
		if err != nil {
			return err
		}
		defer st.Close()
		w.source = st
	} else {
		p, err := pickle.Open(file)
		if err != nil {
			return err
		}
		w.source = p
	}
	var err error
	if w.Names, w.Prefix, err = stateDictNames(w.source.Names()); err != nil {
		return fmt.Errorf("nas: weights %s: %w", file, err)
	}
	return use(w)
}

// shapes returns the shapes of the entries, by the network's own names.
func (w StoredWeights) shapes() (map[string][]int, error) {
	shapes := make(map[string][]int, len(w.Names))
	for _, name := range w.Names {
		_, shape, err := w.source.Info(name)
		if err != nil {
			return nil, err
		}
		shapes[strings.TrimPrefix(name, w.Prefix)] = shape
	}
	return shapes, nil
}

// load loads all entries into the current scope.
func (w StoredWeights) load() (torch.StateDict, error) {
	sd := make(torch.StateDict, len(w.Names))
	for _, name := range w.Names {
		dtype, _, err := w.source.Info(name)
		if err != nil {
			return nil, err
		}
		if sd[strings.TrimPrefix(name, w.Prefix)], err = w.source.Load(name, torch.Options{Dtype: dtype}); err != nil {
			return nil, err
		}
	}
	return sd, nil
}

// network is a network that can check a state dict before it is loaded.
type network interface {
	nn.Module
	CheckStateDict(shapes map[string][]int) error
}

// longestMisfit limits an error about weights that do not fit, in characters: names and shapes come
// from the file.
const longestMisfit = 300

// LoadWeights loads a file into net. It checks names and shapes first: a file may hold a million
// tensors that the network does not have.
func LoadWeights(net network, file string) error {
	return WithWeights(file, func(w StoredWeights) error {
		shapes, err := w.shapes()
		if err != nil {
			return err
		}
		err = unknownLayout(net, shapes)
		if err == nil {
			err = net.CheckStateDict(shapes)
		}
		if err != nil && w.Prefix != "" {
			err = fmt.Errorf("of the names below %q: %w", w.Prefix, err)
		}
		if err != nil {
			return fmt.Errorf("nas: weights %s: %s", file, names.Ends(err.Error(), longestMisfit))
		}
		sd, err := w.load()
		if err != nil {
			return err
		}
		if err := net.LoadStateDict(sd); err != nil {
			return fmt.Errorf("nas: weights %s: %w", file, err)
		}
		return nil
	})
}
