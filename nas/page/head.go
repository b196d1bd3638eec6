package page

import (
	"fmt"
	"math"
	"slices"
	"time"

	"godarts/cells/genotype"
	"godarts/nas/config"
	"godarts/nas/figure"
	"godarts/nas/names"
	"godarts/nas/record"
)

// Fact is a line of a list: a name and its value.
type Fact struct{ Name, Value string }

// facts collects those that have a value.
type facts []Fact

func (f *facts) add(name, value string) {
	if value != "" {
		*f = append(*f, Fact{name, value})
	}
}

// What says in a line what runs on what.
func (v *runView) What() string {
	c := v.Config
	switch {
	case c.Experiment == config.Search && c.FromScratch():
		return fmt.Sprintf("Search by %s on %s, which trains each cell", names.Print(c.Strategy.Name), names.Print(c.Data.Name))
	case c.Experiment == config.Search:
		return fmt.Sprintf("Search by %s on %s", names.Print(c.Strategy.Name), names.Print(c.Data.Name))
	}
	return fmt.Sprintf("Training of %s on %s", shortCell(c.Genotype), names.Print(c.Data.Name))
}

// shortCell returns the name of a published cell, "a cell" for another one.
func shortCell(text string) string {
	for _, published := range slices.Concat(genotype.Published, genotype.PublishedRecurrent) {
		if text == published.Name || text == published.Genotype.String() {
			return published.Name
		}
	}
	return "a cell"
}

// StateName is the state as text.
func (v *runView) StateName() string { return string(v.State) }

// Symbol marks the state without colour.
func (v *runView) Symbol() string { return v.State.Symbol() }

// Facts say how far the run is, and what it runs on.
func (v *runView) Facts() []Fact {
	var f facts
	c := v.Config
	unit := "epochs"
	of := c.RunEpochs()
	if c.FromScratch() {
		unit, of = "cells", c.Trials()
	}
	f.add(unit, fmt.Sprintf("%d of %d", len(v.Epochs), of))
	if seconds := figure.Seconds(v.Run); seconds > 0 {
		f.add("time", duration(seconds))
	}
	if v.Info != nil && !v.Info.Started.IsZero() {
		f.add("started", v.Info.Started.UTC().Format(timeForm))
	}
	if n := len(v.Timings); n > 0 {
		last := v.Timings[n-1]
		if v.State == record.Done {
			f.add("ended", moment(last.Time))
		} else {
			f.add("last line", moment(last.Time))
		}
	}
	if n := len(v.Timings); n > 0 {
		for i := n - 1; i >= 0; i-- {
			if t := v.Timings[i]; t.Step == 0 && t.ItemsPerSecond > 0 {
				f.add("speed", fmt.Sprintf("%.3g %s/s", t.ItemsPerSecond, map[bool]string{true: "tokens", false: "images"}[c.Data.IsText()]))
				break
			}
		}
		peak := int64(0)
		for _, t := range v.Timings {
			peak = max(peak, t.PeakRSSBytes)
		}
		f.add("peak memory", bytesOf(peak))
	}
	f.add("seed", fmt.Sprint(c.Seed))
	if v.Info != nil {
		f.add("device", names.Print(v.Info.Device))
		f.add("threads", fmt.Sprint(v.Info.Threads))
	}
	return f
}

const timeForm = "2006-01-02 15:04 UTC"

// moment returns a time of Unix seconds.
func moment(seconds float64) string {
	return time.Unix(int64(seconds), 0).UTC().Format(timeForm)
}

// duration returns seconds in the two largest units that they have.
func duration(seconds float64) string {
	s := int64(math.Round(seconds))
	switch {
	case s < 60:
		return fmt.Sprintf("%.1f s", seconds)
	case s < 3600:
		return fmt.Sprintf("%d min %d s", s/60, s%60)
	case s < 2*86400:
		return fmt.Sprintf("%d h %d min", s/3600, s%3600/60)
	}
	return fmt.Sprintf("%d days %d h", s/86400, s%86400/3600)
}

// bytesOf returns a number of bytes, empty for 0.
func bytesOf(n int64) string {
	switch {
	case n == 0:
		return ""
	case n >= 1e9:
		return fmt.Sprintf("%.1f GB", float64(n)/1e9)
	}
	return fmt.Sprintf("%.0f MB", float64(n)/1e6)
}
