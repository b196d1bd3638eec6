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
	"godarts/nas/names"
	"godarts/torch"
)

// latencyFlags are the flags of latency.
type latencyFlags struct {
	info.LatencyOptions
	json    bool
	device  string
	threads threadsFlag
}

func newLatency() *cobra.Command {
	o := latencyFlags{LatencyOptions: info.LatencyOptions{Budget: 20 * time.Second}}
	return newCommand(spec{
		use: "latency GENOTYPE|CONFIG|RUN|EXPORT [flags]", short: "measure how long a network takes for a batch on this machine",
		example: "darts latency DARTS_V2 --batch 16 --threads 1",
		min:     1, max: 1, wanted: "one GENOTYPE, CONFIG, RUN or EXPORT", complete: cells,
		flags: func(f *pflag.FlagSet) {
			f.IntVar(&o.Batch, "batch", 1, "images, or columns of a text, that pass through the network together")
			f.IntVar(&o.Passes, "passes", 50, "timed passes, fewer where they take more than 20 s")
			f.BoolVar(&o.Recurrent, "recurrent", false, "take a published NAME for that of a recurrent cell")
			f.BoolVar(&o.json, "json", false, "print a line of JSON for each network")
			f.StringVar(&o.device, "device", "cpu", "cpu, cuda or cuda:N")
			o.threads.add(f)
		},
		run: func(c *cobra.Command, args []string) error { return o.print(args[0], c.OutOrStdout()) },
	})
}

// print measures the networks that where names.
func (o *latencyFlags) print(where string, stdout io.Writer) error {
	if o.Batch < 1 || o.Batch > mostBatch {
		return usagef("latency: --batch %d: wanted 1 to %d", o.Batch, mostBatch)
	}
	if o.Passes < 1 {
		return usagef("latency: --passes %d: wanted 1 or more", o.Passes)
	}
	if err := o.threads.use("latency"); err != nil {
		return err
	}
	var err error
	if o.Device, err = torch.ParseDevice(o.device); err != nil {
		return usageError{err}
	}
	show := printLatency
	if o.json {
		show = printLatencyJSON
	}
	if err := info.MeasureLatency(context.Background(), where, o.LatencyOptions, func(l info.Latency) error { return show(stdout, l) }); err != nil {
		return usageError{err}
	}
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
