package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"godarts/nas/bench"
	"godarts/nas/report"
	"godarts/nas/runfolder"
	"godarts/torch"
)

// benchFlags are the flags of bench. A rival gets those that say what to measure, after --serve.
type benchFlags struct {
	serve    string
	files    string // with serve
	size     string
	rows     []string
	against  []string
	rounds   int
	budget   time.Duration
	instead  bench.Sizes
	threads  threadsFlag
	seed     uint64
	device   string
	form     string
	count    string
	json     string
	markdown string
	charts   []string
}

func (o *benchFlags) register(f *pflag.FlagSet) {
	f.StringVar(&o.size, "size", "quick", "quick, or full: the paper's")
	f.StringSliceVar(&o.rows, "rows", nil, "`ROW,ROW` ... to measure; default all")
	f.StringArrayVar(&o.against, "against", nil, "a rival, as `NAME=COMMAND`; can be repeated")
	f.IntVar(&o.rounds, "rounds", 5, "timed steps of each row")
	f.DurationVar(&o.budget, "budget", 10*time.Minute, "time of a row; two rounds always")
	f.StringVar(&o.device, "device", "cpu", "cpu, cuda or cuda:N")
	f.StringVar(&o.form, "form", "", strings.Join(bench.Forms(), ", ")+"; default by device")
	f.StringVar(&o.count, "count", "", "count operators, bytes, times; `FORM`: cpu or gpu")
	f.Lookup("count").NoOptDefVal = countCPU
	o.threads.add(f)
	f.Uint64Var(&o.seed, "seed", 0, "seed of images, weights and drop-path")
	f.IntVar(&o.instead.Batch, "batch", 0, "`images` of a batch, instead of the size's")
	f.IntVar(&o.instead.Channels, "channels", 0, "channels of every network, instead of the size's")
	f.IntVar(&o.instead.Layers, "layers", 0, "layers of every network, instead of the size's")
	f.IntVar(&o.instead.Images, "images", 0, "images of an epoch in rows input and decode")
	f.IntVar(&o.instead.Units, "units", 0, "units of recurrent networks; --bptt: time steps")
	f.IntVar(&o.instead.Tokens, "tokens", 0, "tokens of recurrent networks' dictionary")
	f.IntVar(&o.instead.Steps, "bptt", 0, "time `steps` of recurrent networks")
	_ = f.MarkHidden("bptt") // the help of --units names it: all flags have to fit a screen
	f.StringVar(&o.json, "json", "", "write all measurements to `FILE`")
	f.StringVar(&o.markdown, "markdown", "", "write the tables to `FILE`")
	f.StringArrayVar(&o.charts, "chart", nil, "draw a bar chart to `FILE`.png or .svg")
	f.StringVar(&o.serve, "serve", "", "do the steps of that row as a rival would: a line \"step\" on stdin, a line of JSON on stdout")
	f.StringVar(&o.files, "files", "", "with --serve: the files that all programs read")
	_ = f.MarkHidden("files")
	_ = f.MarkHidden("serve") // fails only for unknown flags
}

func newBench() *cobra.Command {
	var o benchFlags
	return newCommand(spec{
		use: "bench [flags]", short: "time the steps, by itself or in turn with other programs",
		example: "darts bench --rows train --against pytorch='python scripts/bench_pytorch.py'",
		wanted:  "no argument", outlives: true, flags: o.register,
		run: func(c *cobra.Command, _ []string) error { return o.run(c.OutOrStdout(), c.ErrOrStderr()) },
	})
}

// run measures the rows that the flags name.
func (o *benchFlags) run(stdout, stderr io.Writer) error {
	device, err := o.check()
	if err != nil {
		return usageError{err}
	}
	if o.serve != "" {
		w := bench.Work{Row: o.serve, Form: o.form, Sizes: o.instead, Files: o.files, Threads: int(o.threads), Seed: o.seed, Device: device}
		return bench.Serve(w, "darts "+runfolder.Version()+", libtorch "+torch.Version(), os.Stdin, stdout)
	}
	ctx, stop := signal.NotifyContext(context.Background(), terminationSignals()...)
	defer stop()
	if o.count != "" {
		return o.countOperators(ctx, device, stdout, stderr)
	}
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("bench: this program does not find itself: %w", err)
	}
	sides := []bench.Side{{Name: "darts", Command: []string{self, "bench", "--form", o.form}}}
	for _, rival := range o.against {
		side, err := parseRival(rival)
		if err != nil {
			return usageError{err}
		}
		if slices.ContainsFunc(sides, func(s bench.Side) bool { return s.Name == side.Name }) {
			return usagef("bench: --against %s: there is a program %s already", rival, side.Name)
		}
		sides = append(sides, side)
	}
	left := o.rows
	err = bench.Measure(ctx, bench.Options{
		Rows: o.rows, Full: o.size == "full", Instead: o.instead, Rounds: o.rounds, Budget: o.budget,
		Threads: int(o.threads), Seed: o.seed, Device: device, Sides: sides, Log: stderr,
		Probe: true,
	}, func(b report.Bench) error {
		left = left[1:]
		fmt.Fprint(stdout, b.Rows[len(b.Rows)-1].Text())
		if err := o.write(b); err != nil {
			return err
		}
		return o.draw(b)
	})
	if errors.Is(err, context.Canceled) {
		return interruptedError{how: "darts bench --rows " + strings.Join(left, ",")}
	}
	return err
}

// check reports mistakes in the flags before a measurement, fills in the rows, and returns the device.
func (o *benchFlags) check() (torch.Device, error) {
	if !slices.Contains([]string{"quick", "full"}, o.size) {
		return torch.CPU, fmt.Errorf("bench: --size %s: wanted quick or full", o.size)
	}
	if o.form != "" && !slices.Contains(bench.Forms(), o.form) {
		return torch.CPU, fmt.Errorf("bench: --form %s: wanted %s", o.form, strings.Join(bench.Forms(), " or "))
	}
	if err := o.threads.check("bench"); err != nil {
		return torch.CPU, err
	}
	if o.rounds < 1 {
		return torch.CPU, fmt.Errorf("bench: --rounds %d: wanted 1 or more", o.rounds)
	}
	if s := o.instead; min(s.Batch, s.Channels, s.Layers, s.Images, s.Units, s.Tokens, s.Steps) < 0 {
		return torch.CPU, errors.New("bench: --batch, --channels, --layers, --images, --units, --tokens and --bptt have to be above 0")
	}
	for _, row := range o.rows {
		if _, err := bench.FindRow(row); err != nil {
			return torch.CPU, err
		}
	}
	if err := o.checkCount(); err != nil {
		return torch.CPU, err
	}
	if len(o.rows) == 0 && o.count != "" {
		o.rows = bench.Countable()
	}
	if len(o.rows) == 0 {
		for _, r := range bench.Rows() {
			o.rows = append(o.rows, r.Name)
		}
	}
	if len(o.charts) > 0 && len(o.against) == 0 {
		return torch.CPU, errors.New("bench: --chart compares programs: give it --against NAME=COMMAND")
	}
	for _, file := range o.charts {
		if e := filepath.Ext(file); e != ".png" && e != ".svg" {
			return torch.CPU, fmt.Errorf("bench: --chart %s: wanted a file named .png or .svg", file)
		}
	}
	for _, file := range append([]string{o.json, o.markdown}, o.charts...) {
		if info, err := os.Stat(filepath.Dir(file)); err != nil || !info.IsDir() {
			return torch.CPU, fmt.Errorf("bench: %s can not be written: there is no folder %s", file, filepath.Dir(file))
		}
	}
	device, err := torch.ParseDevice(o.device)
	if o.form == "" {
		o.form = bench.FormOn(device.IsCUDA() || o.count == countGPU)
	}
	return device, err
}

var rivalName = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

// parseRival reads NAME=COMMAND. A shell splits the command and finds the program.
func parseRival(rival string) (bench.Side, error) {
	name, command, ok := strings.Cut(rival, "=")
	if !ok || !rivalName.MatchString(name) || strings.TrimSpace(command) == "" {
		return bench.Side{}, fmt.Errorf("bench: --against %q: wanted NAME=COMMAND, such as pytorch='python scripts/bench_pytorch.py'", rival)
	}
	// exec replaces the shell, so that bench measures the program itself.
	return bench.Side{Name: name, Command: []string{"sh", "-c", "exec " + command + ` "$@"`, name}}, nil
}

// The values of --count.
const (
	countCPU = "cpu"
	countGPU = "gpu"
)

// checkCount reports mistakes in the flags that go with --count.
func (o *benchFlags) checkCount() error {
	switch {
	case o.count == "":
		return nil
	case o.count != countCPU && o.count != countGPU:
		return fmt.Errorf("bench: --count=%s: wanted --count, or --count=gpu for the form that suits a GPU", o.count)
	case len(o.against)+len(o.charts) > 0:
		return errors.New("bench: --count is about this program alone: it takes neither --against nor --chart")
	}
	for _, row := range o.rows {
		if _, err := bench.FindCountable(row); err != nil {
			return err
		}
	}
	return nil
}

// countOperators counts the operators of the rows that the flags name.
func (o *benchFlags) countOperators(ctx context.Context, device torch.Device, stdout, stderr io.Writer) error {
	err := bench.Count(ctx, bench.CountOptions{
		Rows: o.rows, Form: o.form, Full: o.size == "full", Instead: o.instead, AsGPU: o.count == countGPU,
		Threads: int(o.threads), Seed: o.seed, Device: device, Log: stderr,
	}, func(c report.Counts) error {
		fmt.Fprint(stdout, c.Rows[len(c.Rows)-1].Text())
		return o.write(c)
	})
	if errors.Is(err, context.Canceled) {
		return interruptedError{how: "darts bench --count=" + o.count}
	}
	return err
}

// write writes the measurements so far. A rival that fails later loses none of them.
func (o *benchFlags) write(b interface {
	JSON() ([]byte, error)
	Markdown() string
}) error {
	if o.json != "" {
		text, err := b.JSON()
		if err != nil {
			return err
		}
		if err := os.WriteFile(o.json, text, 0o644); err != nil {
			return fmt.Errorf("bench: %w", err)
		}
	}
	if o.markdown != "" {
		if err := os.WriteFile(o.markdown, []byte(b.Markdown()), 0o644); err != nil {
			return fmt.Errorf("bench: %w", err)
		}
	}
	return nil
}

// draw draws the charts of the measurements so far.
func (o *benchFlags) draw(b report.Bench) error {
	for _, file := range o.charts {
		picture, err := b.Chart(filepath.Ext(file))
		if err != nil {
			return err
		}
		if err := os.WriteFile(file, picture, 0o644); err != nil {
			return fmt.Errorf("bench: %w", err)
		}
	}
	return nil
}
