package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"godarts/nas"
	"godarts/nas/config"
	"godarts/nas/names"
	"godarts/nas/prune"
	"godarts/nas/runfolder"
	"godarts/nas/train"
	"godarts/nas/wholefile"
	"godarts/torch"
)

// pruneFlags are the flags of prune.
type pruneFlags struct {
	share           percent
	by              string
	multiple        int
	epochs          int
	out             string
	checkpointEvery string
	device          string
	threads         threadsFlag
}

// multipleUsage is what --multiple says.
const multipleUsage = "leave multiples of `N` channels"

// checkMultiple returns an error for a multiple that no number of channels is.
func checkMultiple(command string, multiple int) error {
	if multiple < 1 || multiple > 1024 {
		return usagef("%s: --multiple %d: wanted 1 to 1024", command, multiple)
	}
	return nil
}

func newPrune() *cobra.Command {
	var o pruneFlags
	return newCommand(spec{
		use: "prune RUN|EXPORT --multiply-adds SHARE [flags]", short: "cut filters of a trained network, and train what is left",
		example: "darts prune runs/cifar10-train-20260102-030405 --multiply-adds 70%",
		min:     1, max: 1, wanted: "one RUN", outlives: true, complete: trained,
		flags: func(f *pflag.FlagSet) {
			f.Var(&o.share, "multiply-adds", "`SHARE` of the multiply-adds that is left, such as 70%")
			f.StringVar(&o.by, "by", prune.Taylor, "what filters are cut by: taylor, scale; or magnitude of single weights")
			f.IntVar(&o.epochs, "epochs", 0, "epochs of training afterwards, the recipe's last; default half of it")
			f.IntVar(&o.multiple, "multiple", prune.DefaultMultiple, multipleUsage)
			f.StringVar(&o.out, "out", "", "`folder` of that training; default runs/RUN-pruned-TIME")
			f.StringVar(&o.checkpointEvery, "checkpoint-every", "10m", "save after `STEPS` or a time")
			f.StringVar(&o.device, "device", "cpu", "cpu, cuda or cuda:N")
			o.threads.add(f)
		},
		run: func(c *cobra.Command, args []string) error {
			return o.prune(filepath.Clean(args[0]), c.OutOrStdout(), c.ErrOrStderr())
		},
	})
}

// prune prunes the network in dir and trains the rest.
func (o *pruneFlags) prune(dir string, stdout, stderr io.Writer) error {
	if o.share == 0 {
		return usagef("prune: no share given: use --multiply-adds 70%%, or another share")
	}
	if err := checkMultiple("prune", o.multiple); err != nil {
		return err
	}
	every, err := parseEvery(o.checkpointEvery)
	if err != nil {
		return usageError{err}
	}
	if err := o.threads.use("prune"); err != nil {
		return err
	}
	device, err := torch.ParseDevice(o.device)
	if err != nil {
		return usageError{err}
	}
	if o.out != "" && runfolder.HoldsRun(o.out) {
		return usagef("prune: %s holds a run already: go on with `%s`, or choose another --out", names.Escape(o.out), names.Command("darts", "train", "--resume", o.out))
	}
	ctx := context.Background()
	pruned, err := prune.Network(ctx, dir, prune.Options{By: o.by, Share: float64(o.share) / 100, Epochs: o.epochs, Device: device, Multiple: o.multiple})
	if err != nil {
		return usageError{err}
	}
	before, err := train.Test(ctx, dir, device)
	if err != nil {
		return usageError{err}
	}
	out, err := o.folder(dir, pruned)
	if err != nil {
		return usageError{err}
	}
	cut, err := train.TestWeights(ctx, pruned.Config, nil, pruned.Config.Pruned.Weights, device)
	if err != nil {
		return err
	}
	rows := []prunedRow{{"trained", &before, pruned.Before}, {prunedName(o.by), &cut, pruned.After}}
	printPruned(stdout, rows)
	k := kind{name: "train", run: func(ctx context.Context, dir string, c *config.Config, s nas.Settings, stdout io.Writer) error {
		result, err := train.Run(ctx, dir, c, s)
		if err != nil {
			return err
		}
		info, err := os.Stat(filepath.Join(dir, runfolder.WeightsFile))
		if err != nil {
			return err
		}
		after := pruned.After
		after.Bytes = int(info.Size())
		printPruned(stdout, append(rows, prunedRow{"trained on", &result, after}))
		fmt.Fprintf(stdout, "run folder: %s\n", names.Escape(dir))
		return nil
	}}
	err = k.start(out, pruned.Config, nas.Settings{Device: device, Every: every}, stdout, stderr)
	if err != nil && o.out == "" && !runfolder.HoldsRun(out) {
		os.Remove(pruned.Config.Pruned.Weights)
		os.Remove(out)
	}
	return err
}

// folder makes the run folder, and writes the weights that its training begins with.
func (o *pruneFlags) folder(from string, p prune.Pruned) (dir string, err error) {
	if dir = o.out; dir == "" {
		if dir, err = reserve(filepath.Base(from)+"-pruned", time.Now()); err != nil {
			return "", err
		}
	}
	if err := runfolder.CheckEmpty(dir); err != nil {
		return "", err
	}
	if err := wholefile.MakeFolder(dir); err != nil {
		return "", err
	}
	file, err := filepath.Abs(filepath.Join(dir, runfolder.StartFile))
	if err != nil {
		return "", err
	}
	p.Config.Pruned.Weights = file
	return dir, runfolder.Write(file, p.Weights)
}

// prunedRow is a network in the table of prune.
type prunedRow struct {
	name   string
	result *runfolder.TrainResult
	size   prune.Size
}

// prunedName is what a network is called right after the pruning.
func prunedName(by string) string {
	if by == prune.Magnitude {
		return "masked"
	}
	return "cut"
}

func printPruned(w io.Writer, rows []prunedRow) {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	images := "test"
	if rows[0].result.Validated != nil {
		images = "validation"
	}
	fmt.Fprintf(table, "network\t%s error\tparameters\tmultiply-adds\tbytes\t\n", images)
	for _, r := range rows {
		e := 0.0
		switch {
		case r.result.Validated != nil:
			e = r.result.ValidError
		case r.result.Tested != nil:
			e = r.result.TestError
		}
		fmt.Fprintf(table, "%s\t%.2f %%\t%d\t%.2f M\t%d\t\n", r.name, e, r.size.Parameters, float64(r.size.MultiplyAdds)/1e6, r.size.Bytes)
	}
	table.Flush()
	if rows[1].name == prunedName(prune.Magnitude) {
		fmt.Fprintln(w, "note: zeros are multiplied and stored as other weights are: a masked network is no faster, and no smaller")
	}
}

// percent is a flag with a share such as 70%.
type percent float64

func (p *percent) Type() string { return "SHARE" }

func (p *percent) String() string {
	if *p == 0 {
		return ""
	}
	return strconv.FormatFloat(float64(*p), 'g', -1, 64) + "%"
}

func (p *percent) Set(text string) error {
	number, signed := strings.CutSuffix(strings.TrimSpace(text), "%")
	x, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if err != nil || !signed || !(x > 0 && x < 100) {
		return errors.New("wanted a share above 0% and below 100%, such as 70%")
	}
	*p = percent(x)
	return nil
}

// percents is a flag with several shares.
type percents []float64

func (p *percents) Type() string { return "SHARES" }

func (p *percents) String() string {
	var all []string
	for _, x := range *p {
		all = append(all, (*percent)(&x).String())
	}
	return strings.Join(all, ",")
}

func (p *percents) Set(text string) error {
	*p = nil
	for part := range strings.SplitSeq(text, ",") {
		var one percent
		if err := one.Set(part); err != nil {
			return err
		}
		if slices.Contains(*p, float64(one)) {
			return fmt.Errorf("%v is there twice", &one)
		}
		*p = append(*p, float64(one))
	}
	return nil
}
