package model

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"godarts/nas"
	"godarts/nas/finite"
	"godarts/nas/names"
	"godarts/nas/runfolder"
	"godarts/torch"
	"godarts/torch/nn"
	"godarts/torch/pickle"
	"godarts/torch/safetensors"
)

// weightsSum is the metadata key of the file's checksum.
const weightsSum = "darts.sha256"

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

// unknownLayout returns an error if net knows no name in found: the file holds another kind of network,
// or has a prefix that stateDictNames does not know.
func unknownLayout(net network, found map[string][]int) error {
	wanted := net.StateDict()
	for name := range found {
		if _, ok := wanted[name]; ok {
			return nil
		}
	}
	return fmt.Errorf("no name in it is one of the network's: found are %s, wanted %s", someNames(found), someNames(wanted))
}

// someNames lists the first names of a state dict.
func someNames[T any](sd map[string]T) string {
	const most = 3
	var shown []string
	for _, name := range slices.Sorted(maps.Keys(sd)) {
		if len(shown) == most {
			return fmt.Sprintf("%s and %d more", strings.Join(shown, ", "), len(sd)-most)
		}
		shown = append(shown, names.Quote(name, 60))
	}
	if len(shown) == 0 {
		return "none"
	}
	return strings.Join(shown, ", ")
}
