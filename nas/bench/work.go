// Package bench measures the time of the work of an architecture search, by this program
// and, in turn with it, by others that do the same.
package bench

import (
	"fmt"
	"slices"
	"strings"

	"godarts/darts"
	"godarts/darts/fast"
	"godarts/torch"
)

// Row is a kind of work.
type Row struct {
	Name, Title string
	quick, full Sizes
	prepare     func(Work) (step, error)
	// MakeFiles writes the files that all programs read to a new folder; nil if they read none.
	MakeFiles func(dir string, w Work) error
}

// step does the work once and returns its loss, nil for work without a loss. When it
// returns the device has finished too.
type step func() (loss *float64)

// Sizes are the sizes of the work. A size that a row does not have is 0. Rows of images
// without a network have no Channels and Layers; recurrent networks have neither these nor
// Images; all others have no sizes of recurrent networks.
type Sizes struct {
	Batch, Channels, Layers int
	Units, Tokens, Steps    int // of recurrent networks: size of the state, of the dictionary, of a chunk
	Images                  int // of an epoch
}

// The sizes of the paper: of its searches, of its trained networks, and of the half of
// CIFAR-10 that trains the weights in a search.
var (
	searchSizes   = Sizes{Batch: 64, Channels: 16, Layers: 8}
	networkSizes  = Sizes{Batch: 96, Channels: 36, Layers: 20}
	textSizes     = Sizes{Batch: 256, Units: 300, Tokens: 10_000, Steps: 35}
	languageSizes = Sizes{Batch: 64, Units: 850, Tokens: 10_000, Steps: 35}
	pipelineSizes = Sizes{Batch: 64, Images: 25_000}
	decodeSizes   = Sizes{Batch: 32, Images: 1000}
)

func (s Sizes) of(batch, images int) Sizes {
	s.Batch, s.Images = batch, images
	return s
}

// Rows returns all kinds of work.
func Rows() []Row {
	search := func(name, title string) Row {
		return Row{name, title, searchSizes.of(16, 0), searchSizes, prepareSearch, nil}
	}
	text := func(name, title string) Row {
		return Row{name, title, textSizes.of(32, 0), textSizes, prepareRecurrentSearch, nil}
	}
	return []Row{
		search(forwardBackward, "forward and backward"),
		search(firstOrder, "first-order step"),
		search(secondOrder, "second-order step"),
		{"train", "training step", networkSizes.of(16, 0), networkSizes, prepareTraining, nil},
		{"inference", "inference", networkSizes.of(16, 0), networkSizes, prepareInference, nil},
		text(recurrentFirstOrder, "recurrent first-order step"),
		text(recurrentSecondOrder, "recurrent second-order step"),
		{"rnn-train", "recurrent training step", languageSizes.of(16, 0), languageSizes, prepareRecurrentTraining, nil},
		{"input", "input pipeline", pipelineSizes.of(64, 5_000), pipelineSizes, prepareInput, nil},
		{"decode", "JPEG files on one core", decodeSizes.of(32, 200), decodeSizes, prepareDecode, makeJPEGs},
	}
}

// The rows of search networks.
const (
	forwardBackward      = "forward-backward"
	firstOrder           = "first-order"
	secondOrder          = "second-order"
	recurrentFirstOrder  = "rnn-first-order"
	recurrentSecondOrder = "rnn-second-order"
)

// FindRow returns the row of that name, or an error that names all.
func FindRow(name string) (Row, error) {
	rows := Rows()
	if i := slices.IndexFunc(rows, func(r Row) bool { return r.Name == name }); i >= 0 {
		return rows[i], nil
	}
	var names []string
	for _, r := range rows {
		names = append(names, r.Name)
	}
	return Row{}, fmt.Errorf("bench: unknown row %q (there are: %s)", name, strings.Join(names, ", "))
}

// Sizes returns the small sizes or, if full, the paper's. Sizes of instead that are not 0
// replace them. A size that the row does not have stays 0.
func (r Row) Sizes(full bool, instead Sizes) Sizes {
	s := r.quick
	if full {
		s = r.full
	}
	for _, size := range []struct {
		of      *int
		instead int
	}{
		{&s.Batch, instead.Batch}, {&s.Channels, instead.Channels}, {&s.Layers, instead.Layers}, {&s.Images, instead.Images},
		{&s.Units, instead.Units}, {&s.Tokens, instead.Tokens}, {&s.Steps, instead.Steps},
	} {
		if *size.of != 0 && size.instead != 0 {
			*size.of = size.instead
		}
	}
	return s
}

// passed returns the number of images or tokens of a step.
func (s Sizes) passed() (n int, of string) {
	if s.Units != 0 {
		return s.Batch * s.Steps, "tokens"
	}
	return max(s.Batch, s.Images), "images"
}

// String returns a text such as "C 16, 8 layers, batch 64".
func (s Sizes) String() string {
	switch {
	case s.Units != 0:
		return fmt.Sprintf("%d units, %d tokens, %d steps, batch %d", s.Units, s.Tokens, s.Steps, s.Batch)
	case s.Images != 0:
		return fmt.Sprintf("%d images, batches of %d", s.Images, s.Batch)
	}
	return fmt.Sprintf("C %d, %d layers, batch %d", s.Channels, s.Layers, s.Batch)
}

// Work is the work of one process.
type Work struct {
	Row  string
	Form string // one of Forms, for networks that have several
	Sizes
	Files   string // the folder that Row.MakeFiles made
	Threads int    // of an operator on the CPU
	Seed    uint64
	Device  torch.Device
}

// The names of the form for GPUs and of that by autograd.
const (
	wideForm  = "wide"
	plainForm = "plain"
)

// form is a way to compute the search networks.
type form struct {
	name      string
	make      func(darts.Options) (darts.Supernet, error)
	recurrent func(darts.RecurrentOptions) (darts.Supernet, error)
}

var forms = []form{
	{
		"fast",
		func(o darts.Options) (darts.Supernet, error) { return fast.New(o) },
		func(o darts.RecurrentOptions) (darts.Supernet, error) { return fast.NewRecurrent(o) },
	},
	{
		wideForm,
		func(o darts.Options) (darts.Supernet, error) { return fast.NewWide(o) },
		func(o darts.RecurrentOptions) (darts.Supernet, error) { return fast.NewRecurrent(o) }, // there is no other
	},
	{
		plainForm,
		func(o darts.Options) (darts.Supernet, error) { return darts.NewPlain(o) },
		func(o darts.RecurrentOptions) (darts.Supernet, error) { return darts.NewRecurrentPlain(o) },
	},
}

// FormOn names the form that searches take on a GPU, or on a CPU.
func FormOn(gpu bool) string {
	if gpu {
		return wideForm
	}
	return forms[0].name
}

// Forms names the ways to compute the search networks, that of CPUs first.
func Forms() []string {
	var names []string
	for _, f := range forms {
		names = append(names, f.name)
	}
	return names
}

func findForm(name string) (form, error) {
	for _, f := range forms {
		if f.name == name {
			return f, nil
		}
	}
	return form{}, fmt.Errorf("bench: unknown form %q (there are: %s)", name, strings.Join(Forms(), ", "))
}
