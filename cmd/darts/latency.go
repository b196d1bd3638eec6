package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"godarts/nas/finite"
	"godarts/nas/info"
	"godarts/nas/latency"
	"godarts/nas/names"
	"godarts/torch"
)

// latencyFlags are the flags of latency.
type latencyFlags struct {
	info.LatencyOptions
	json    bool
	table   string
	set     []string
	device  string
	threads threadsFlag
}

func newLatency() *cobra.Command {
	o := latencyFlags{LatencyOptions: info.LatencyOptions{Budget: 20 * time.Second}}
	return newCommand(spec{
		use: "latency GENOTYPE|CONFIG|RUN|EXPORT [flags]", short: "measure how long a network, or each operation of a space, takes",
		example: "darts latency DARTS_V2 --batch 16 --threads 1",
		min:     1, max: 1, wanted: "one GENOTYPE, CONFIG, RUN or EXPORT", complete: cells,
		flags: func(f *pflag.FlagSet) {
			f.IntVar(&o.Batch, "batch", 1, "images, or columns of a text, that pass through the network together")
			f.IntVar(&o.Passes, "passes", 50, "timed passes, fewer where they take more than 20 s, of an operation 2 s")
			f.BoolVar(&o.Recurrent, "recurrent", false, "take a published NAME for that of a recurrent cell")
			f.BoolVar(&o.json, "json", false, "print a line of JSON for each network")
			f.StringVar(&o.table, "table", "", "`FILE` of times of operations, to which go those that the search of CONFIG needs and that it lacks")
			f.StringArrayVar(&o.set, "set", nil, "with --table: override a config `KEY=VALUE`; can be given several times")
			f.StringVar(&o.device, "device", "cpu", "cpu, cuda or cuda:N")
			o.threads.add(f)
		},
		run: func(c *cobra.Command, args []string) error { return o.print(c.Context(), args[0], c.OutOrStdout()) },
	})
}

// print measures the networks that where names, or the rows of a table.
func (o *latencyFlags) print(ctx context.Context, where string, stdout io.Writer) error {
	if o.Batch < 1 || o.Batch > mostBatch {
		return usagef("latency: --batch %d: wanted 1 to %d", o.Batch, mostBatch)
	}
	if o.Passes < 1 {
		return usagef("latency: --passes %d: wanted 1 or more", o.Passes)
	}
	switch {
	case o.table != "" && (o.json || o.Recurrent):
		return usagef("latency: --table goes with neither --json nor --recurrent")
	case o.table == "" && len(o.set) > 0:
		return usagef("latency: --set has no effect without --table")
	}
	if err := o.threads.use("latency"); err != nil {
		return err
	}
	var err error
	if o.Device, err = torch.ParseDevice(o.device); err != nil {
		return usageError{err}
	}
	if o.table != "" {
		return o.measureTable(ctx, where, stdout)
	}
	show := printLatency
	if o.json {
		show = printLatencyJSON
	}
	if err := info.MeasureLatency(ctx, where, o.LatencyOptions, func(l info.Latency) error { return show(stdout, l) }); err != nil {
		return usageError{err}
	}
	return nil
}

// measureTable measures what the table lacks.
func (o *latencyFlags) measureTable(ctx context.Context, where string, stdout io.Writer) error {
	if err := checkOut("latency", o.table); err != nil {
		return err
	}
	measured := 0
	err := info.MeasureTable(ctx, where, o.set, o.table, o.LatencyOptions, func(r latency.Row) error {
		measured++
		_, err := fmt.Fprintf(stdout, "%s: %.4g ms, passes: %d\n", r.Layer, r.Seconds*1000, r.Passes)
		return err
	})
	if err != nil {
		return usageError{err}
	}
	fmt.Fprintf(stdout, "%s: %s measured\n", names.Escape(o.table), names.Count(measured, "operation"))
	return nil
}

// Quantiles that are printed.
const low, median, high = 0.1, 0.5, 0.9

func printLatency(w io.Writer, l info.Latency) error {
	of := names.Count(l.Batch, "image")
	if l.Steps > 0 {
		of = fmt.Sprintf("%s of %s", names.Count(l.Batch, "column"), names.Count(l.Steps, "word"))
	}
	ms := func(q float64) float64 { return l.Quantile(q).Seconds() * 1000 }
	_, err := fmt.Fprintf(w, "%s\n  %s: median %.4g ms, 10 %% %.4g ms, 90 %% %.4g ms; passes: %d, threads: %d\n",
		l.Network, of, ms(median), ms(low), ms(high), len(l.Seconds), torch.Threads())
	return err
}

func printLatencyJSON(w io.Writer, l info.Latency) error {
	text, err := finite.Marshal(struct {
		Network string  `json:"network"`
		Batch   int     `json:"batch"`
		Steps   int     `json:"steps,omitempty"` // words of each column of a text
		Threads int     `json:"threads"`
		Passes  int     `json:"passes"`
		Median  float64 `json:"median_seconds"`
		Low     float64 `json:"low_seconds"`  // 10 % of the passes take at most that
		High    float64 `json:"high_seconds"` // 90 %
	}{l.Network, l.Batch, l.Steps, torch.Threads(), len(l.Seconds), l.Quantile(median).Seconds(), l.Quantile(low).Seconds(), l.Quantile(high).Seconds()})
	if err == nil {
		_, err = fmt.Fprintf(w, "%s\n", text)
	}
	return err
}
