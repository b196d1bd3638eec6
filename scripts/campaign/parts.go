package main

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"
)

// part is one kind of attack.
type part struct {
	name, summary string
	trial         func(*trial)
	most          func(*campaign) int // number of trials; nil for any number
	missing       func() string       // what the machine lacks for the part; nil if nothing
	partly        func() string       // what the machine lacks for some trials; nil if nothing
}

// parts lists the kinds of attacks.
func parts() []part {
	fuzzTrial, fuzzMost := fuzzing()
	return []part{
		{name: "hostile", summary: "command lines and files that ask for trouble: one line and no trace", trial: hostile, most: func(*campaign) int { return len(hostileCases()) }},
		{name: "flips", summary: "damaged files of a run folder: noticed, or the right answer", trial: flips},
		{name: "signals", summary: "SIGTERM, SIGINT and SIGHUP at random moments: resumed runs end with the same bytes", trial: signals},
		{name: "disk", summary: "a disk that fills up: resumed runs end with the same bytes", trial: disk, missing: noMounts},
		{name: "power", summary: "power cuts that drop what was not synced: resumed runs end with the same bytes", trial: power, missing: noStrace},
		{name: "kill", summary: "SIGKILL at random moments and system calls: resumed runs end with the same bytes", trial: kill, partly: noStrace},
		{name: "fuzz", summary: "every fuzz target of the repository", trial: fuzzTrial, most: fuzzMost},
	}
}

// everyParts lists the attacks at every point.
func everyParts() []part {
	kills := part{name: "kill", missing: noStrace}
	kills.trial, kills.most = everyPoint(killPoints, killEvery)
	cuts := part{name: "power", missing: noStrace}
	cuts.trial, cuts.most = everyPoint(powerPoints, cutAfter)
	return []part{kills, cuts}
}

// wanted is a part to run, or one trial of it.
type wanted struct {
	part
	only int // -1 for all
}

// choose finds the parts by names of the form PART or PART:TRIAL. Without names it returns all.
func choose(names []string, all []part) (chosen []wanted, err error) {
	if len(names) == 0 {
		for _, p := range all {
			chosen = append(chosen, wanted{p, -1})
		}
	}
	for _, name := range names {
		name, number, one := strings.Cut(name, ":")
		w := wanted{only: -1}
		for _, p := range all {
			if p.name == name {
				w.part = p
			}
		}
		if w.trial == nil {
			known := ""
			for i, p := range all {
				known += p.name + [...]string{"", " or ", ", "}[min(len(all)-1-i, 2)]
			}
			return nil, fmt.Errorf("no part %q: want %s", name, known)
		}
		if one {
			if w.only, err = strconv.Atoi(number); err != nil || w.only < 0 {
				return nil, fmt.Errorf("part %s: no trial %q: want its number", name, number)
			}
		}
		chosen = append(chosen, w)
	}
	return chosen, nil
}

// mostTrials is more than there is ever time for.
const mostTrials = 1 << 20

// attack makes trials of a part until the time is over, at least one.
func (c *campaign) attack(w wanted, until time.Time) {
	if w.missing != nil {
		if lack := w.missing(); lack != "" {
			fmt.Fprintf(c.out, "%s: left out: %s\n", w.name, lack)
			return
		}
	}
	if w.partly != nil {
		if lack := w.partly(); lack != "" {
			fmt.Fprintf(c.out, "%s: %s\n", w.name, lack)
		}
	}
	most, n := mostTrials, 0
	if w.most != nil {
		most = w.most(c)
	}
	if w.only >= 0 {
		n, most = w.only, min(most, w.only+1)
	}
	tally := map[string]int{}
	began, done, failures := time.Now(), 0, 0
	order := rand.New(rand.NewPCG(c.seed, 0)).Perm(min(most, mostTrials))
	for ; n < most && (done == 0 || c.every || time.Now().Before(until)); n++ {
		number := n
		if w.most != nil && w.only < 0 && !c.every {
			number = order[n] // so that short campaigns make different trials
		}
		t := c.newTrial(w.name, number)
		t.left = time.Until(until) / time.Duration(max(1, most-n))
		w.trial(t)
		done++
		if !t.end() {
			failures++
			t.outcome += ", failed"
		}
		tally[t.outcome]++
		if c.every && done%50 == 0 {
			fmt.Fprintf(c.out, "%s: %d of %d in %.0f s, %d failures\n", w.name, n+1, most, time.Since(began).Seconds(), failures)
		}
	}
	fmt.Fprintf(c.out, "%s: %d trials in %.0f s, %d failures%s\n", w.name, done, time.Since(began).Seconds(), failures, described(tally))
	if w.most != nil && w.only < 0 && n < most {
		fmt.Fprintf(c.out, "%s: no time was left for %d more\n", w.name, most-n)
	}
}
