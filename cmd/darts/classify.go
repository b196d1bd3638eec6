package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"godarts/nas/data/picture"
	"godarts/nas/finite"
	"godarts/nas/model"
	"godarts/nas/names"
	"godarts/torch"
)

// classifyFlags are the flags of classify.
type classifyFlags struct {
	top, batch int
	json       bool
	device     string
	threads    threadsFlag
}

func newClassify() *cobra.Command {
	var o classifyFlags
	return newCommand(spec{
		use: "classify RUN|EXPORT|WEIGHTS IMAGE...|DIR|- [flags]", short: "tell the classes of images by a trained network",
		example: "darts classify exported photo.jpg\n  darts classify runs/photos photos/val --json",
		min:     2, max: 1 << 20, wanted: "a RUN, EXPORT or file of weights and one or more images or folders",
		complete: func(c *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveDefault
			}
			return trained(c, args, typed)
		},
		flags: func(f *pflag.FlagSet) {
			f.IntVar(&o.top, "top", 3, "likeliest classes to print of each image")
			f.BoolVar(&o.json, "json", false, "print a line of JSON for each image")
			f.IntVar(&o.batch, "batch", 64, "images that pass through the network together")
			f.StringVar(&o.device, "device", "cpu", "cpu, cuda or cuda:N")
			o.threads.add(f)
		},
		run: func(c *cobra.Command, args []string) error {
			return o.classify(args[0], args[1:], c.InOrStdin(), c.OutOrStdout())
		},
	})
}

// mostBatch is the largest number of images that --batch accepts.
const mostBatch = 1 << 16

func (o *classifyFlags) check() error {
	if o.top < 1 {
		return usagef("classify: --top %d: wanted 1 or more", o.top)
	}
	if o.batch < 1 || o.batch > mostBatch {
		return usagef("classify: --batch %d: wanted 1 to %d", o.batch, mostBatch)
	}
	return o.threads.use("classify")
}

// classify prints the classes of the images that args name.
func (o *classifyFlags) classify(network string, args []string, stdin io.Reader, stdout io.Writer) error {
	if err := o.check(); err != nil {
		return err
	}
	d, err := torch.ParseDevice(o.device)
	if err != nil {
		return usageError{err}
	}
	inputs, remove, err := imagesOf(args, stdin)
	defer remove()
	if err != nil {
		return usageError{err}
	}
	return torch.Do(func() error {
		m, err := model.LoadModel(network, d)
		if err != nil {
			return usageError{err}
		}
		label(inputs, m.ClassNames())
		var files []string
		for _, in := range inputs {
			files = append(files, in.file)
		}
		found, err := m.ClassifyFiles(context.Background(), files, o.batch)
		if err != nil {
			return usageError{err}
		}
		print := newClassTable(stdout, m.ClassNames(), o.top, inputs)
		if o.json {
			print = newClassLines(stdout, m.ClassNames(), o.top)
		}
		at := 0
		for c := range found {
			if err := print.image(inputs[at], c); err != nil {
				return err
			}
			at++
		}
		return print.end()
	})
}

// imageInput is an image to classify.
type imageInput struct {
	name, file string // as it is printed, and to read
	below      string // its path below the folder that was named; empty for a file that was named
	label      string // its class by its folder, or empty
}

// imagesOf returns the images that arguments name: files, all image files of folders, or the image that
// comes from stdin for "-". remove removes what it has written.
func imagesOf(args []string, stdin io.Reader) (inputs []imageInput, remove func(), err error) {
	remove = func() {}
	for _, arg := range args {
		if arg == "-" {
			if len(args) > 1 {
				return nil, remove, errors.New("classify: - stands for the image on standard input, and goes with no other")
			}
			file, err := spool(stdin)
			if file != "" {
				remove = func() { os.Remove(file) }
			}
			return []imageInput{{name: "-", file: file}}, remove, err
		}
		info, err := os.Stat(arg)
		if err != nil {
			return nil, remove, fmt.Errorf("classify: %w", err)
		}
		if !info.IsDir() {
			inputs = append(inputs, imageInput{name: arg, file: arg})
			continue
		}
		found, err := imagesBelow(arg)
		if err != nil {
			return nil, remove, fmt.Errorf("classify: %w", err)
		}
		inputs = append(inputs, found...)
	}
	return inputs, remove, nil
}

// spool writes an image from stdin to a file, since its decoders go back in what they read.
func spool(stdin io.Reader) (file string, err error) {
	f, err := os.CreateTemp("", "darts-image")
	if err != nil {
		return "", fmt.Errorf("classify: %w", err)
	}
	_, err = io.Copy(f, stdin)
	if err = cmp.Or(err, f.Close()); err != nil {
		err = fmt.Errorf("classify: standard input: %w", err)
	}
	return f.Name(), err
}

// imagesBelow returns the image files in a folder and its folders, in alphabetical order, without hidden
// ones.
func imagesBelow(dir string) (inputs []imageInput, err error) {
	err = filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case path != dir && strings.HasPrefix(e.Name(), "."):
			if e.IsDir() {
				return fs.SkipDir
			}
		case !e.IsDir() && picture.HasSuffix(e.Name()):
			below, err := filepath.Rel(dir, path)
			if err != nil {
				return err
			}
			inputs = append(inputs, imageInput{name: path, file: path, below: below})
		}
		return nil
	})
	if err == nil && len(inputs) == 0 {
		err = fmt.Errorf("%s holds no image, want files such as %s", dir, strings.Join(picture.Suffixes, ", "))
	}
	return inputs, err
}

// label labels the images by the folders that they lie in, if each lies in one that has the name of a
// class.
func label(inputs []imageInput, classes []string) {
	var labels []string
	for _, in := range inputs {
		class, _, inFolder := strings.Cut(filepath.ToSlash(in.below), "/")
		if !inFolder || !slices.Contains(classes, class) {
			return
		}
		labels = append(labels, class)
	}
	for i := range inputs {
		inputs[i].label = labels[i]
	}
}

// classPrinter prints what a network makes of images.
type classPrinter interface {
	image(in imageInput, c model.Classified) error
	end() error
}

// guess is a class and its probability.
type guess struct {
	Class       string  `json:"class"`
	Probability float64 `json:"probability"`
}

// likeliest returns the likeliest classes, the first of equal ones first.
func likeliest(classes []string, probabilities []float64, top int) (found []guess) {
	for i, p := range probabilities {
		found = append(found, guess{classes[i], p})
	}
	slices.SortStableFunc(found, func(a, b guess) int { return cmp.Compare(b.Probability, a.Probability) })
	return found[:min(top, len(found))]
}

// unread counts images that could not be read.
type unread struct{ n, of int }

func (u *unread) add(c model.Classified) {
	u.of++
	if c.Err != nil {
		u.n++
	}
}

// err returns an error if an image could not be read.
func (u *unread) err() error {
	if u.n == 0 {
		return nil
	}
	return fmt.Errorf("classify: images that could not be read: %d of %d", u.n, u.of)
}

// classLines prints JSON.
type classLines struct {
	w       io.Writer
	classes []string
	top     int
	unread
}

func newClassLines(w io.Writer, classes []string, top int) classPrinter {
	return &classLines{w: w, classes: classes, top: top}
}

func (l *classLines) image(in imageInput, c model.Classified) error {
	l.add(c)
	line := struct {
		File    string  `json:"file"`
		Label   string  `json:"label,omitempty"`
		Classes []guess `json:"classes,omitempty"`
		Error   string  `json:"error,omitempty"`
	}{File: in.name, Label: in.label, Classes: likeliest(l.classes, c.Probabilities, l.top)}
	if c.Err != nil {
		line.Error = oneLine(c.Err)
	}
	text, err := finite.Marshal(line)
	if err == nil {
		_, err = fmt.Fprintf(l.w, "%s\n", text)
	}
	return err
}

func (l *classLines) end() error { return l.err() }

// classTable prints a table, and the error of labelled images.
type classTable struct {
	*tabwriter.Writer
	w        io.Writer
	classes  []string
	top      int
	labelled bool
	wrong    int
	unread
}

func newClassTable(w io.Writer, classes []string, top int, inputs []imageInput) classPrinter {
	t := &classTable{tabwriter.NewWriter(w, 0, 0, 2, ' ', 0), w, classes, min(top, len(classes)), inputs[0].label != "", 0, unread{}}
	fmt.Fprint(t, "image")
	if t.labelled {
		fmt.Fprint(t, "\tlabel")
	}
	fmt.Fprint(t, "\tclass")
	fmt.Fprintln(t, strings.Repeat("\tnext", t.top-1))
	return t
}

func (t *classTable) image(in imageInput, c model.Classified) error {
	t.add(c)
	fmt.Fprint(t, names.Escape(in.name))
	if t.labelled {
		fmt.Fprint(t, "\t", names.Print(in.label))
	}
	if c.Err != nil {
		fmt.Fprintf(t, "\t%s\n", oneLine(c.Err))
		return nil
	}
	found := likeliest(t.classes, c.Probabilities, t.top)
	for _, g := range found {
		fmt.Fprintf(t, "\t%s %.1f %%", names.Print(g.Class), 100*g.Probability)
	}
	fmt.Fprintln(t)
	if t.labelled && found[0].Class != in.label {
		t.wrong++
	}
	return nil
}

func (t *classTable) end() error {
	if err := t.Flush(); err != nil {
		return err
	}
	if right := t.of - t.n; t.labelled && right > 0 {
		fmt.Fprintf(t.w, "error %.2f %% of %s\n", 100*float64(t.wrong)/float64(right), names.Count(right, "image"))
	}
	return t.err()
}
