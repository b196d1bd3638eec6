// Command campaign attacks the program: it kills runs at every moment and system call,
// signals them, cuts the power, fills their disk, damages their files, fuzzes the readers and gives hostile
// input, and demands what the program promises of each. scripts/attack builds and starts it:
//
//	scripts/attack                       a minute, shared out to all parts
//	scripts/attack --minutes 30 kill     half an hour of one part
//	scripts/attack --seed 7 flips:12     one trial again
//	scripts/attack --every               kills and power cuts at every file call of small runs
//
// The status is 1 if anything was found.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"
)

func main() {
	found, err := run(os.Args[1:], os.Stdout)
	if err != nil && !errors.Is(err, pflag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "attack:", err)
		os.Exit(2)
	}
	if found {
		os.Exit(1)
	}
}

// part is one kind of attack.
type part struct {
	name, summary string
	trial         func(*trial)
	most          func(*campaign) int // trials there are; nil for any number
	missing       func() string       // what the machine lacks for it; nil if nothing
	partly        func() string       // what it lacks for some of its trials
}

func parts() []part {
	return []part{
		{name: "hostile", summary: "command lines and files that ask for trouble: one line and no trace", trial: hostile, most: func(*campaign) int { return len(hostileCases()) }},
		{name: "flips", summary: "damaged files of a run folder: noticed, or the right answer", trial: flips},
		{name: "signals", summary: "SIGTERM, SIGINT and SIGHUP at random moments: resumed runs end with the same bytes", trial: signals},
		{name: "disk", summary: "a disk that fills up: resumed runs end with the same bytes", trial: disk, missing: noMounts},
		{name: "power", summary: "power cuts that drop what was not synced: resumed runs end with the same bytes", trial: power, missing: noStrace},
		{name: "kill", summary: "SIGKILL at random moments and system calls: resumed runs end with the same bytes", trial: kill, partly: noStrace},
		{name: "fuzz", summary: "every fuzz target of the repository", trial: fuzz, most: func(c *campaign) int { return len(c.targets()) }},
	}
}

// everyParts are those that take every point there is.
func everyParts() []part {
	kills := part{name: "kill", missing: noStrace}
	kills.trial, kills.most = everyPoint(killPoints, killEvery)
	cuts := part{name: "power", missing: noStrace}
	cuts.trial, cuts.most = everyPoint(powerPoints, cutAfter)
	return []part{kills, cuts}
}

// wanted is a part to run, and the one trial of it that is wanted, if not all.
type wanted struct {
	part
	only int // -1 for all
}

func run(args []string, out io.Writer) (found bool, err error) {
	f := pflag.NewFlagSet("attack", pflag.ContinueOnError)
	f.SortFlags = false
	f.SetOutput(out)
	minutes := f.Float64("minutes", 1, "how long to attack, shared out to the parts")
	seed := f.Uint64("seed", 0, "seed of every choice; default a new one")
	every := f.Bool("every", false, "kill and power: at every file call of small runs, however long that takes")
	darts := f.String("darts", "bin/darts", "the program")
	f.Usage = func() {
		fmt.Fprintf(out, "usage: scripts/attack [--minutes N] [--seed S] [--every] [PART | PART:TRIAL ...]\n\n%s\n", f.FlagUsages())
		for _, p := range parts() {
			fmt.Fprintf(out, "  %-8s %s\n", p.name, p.summary)
		}
	}
	if err := f.Parse(args); err != nil {
		return false, err
	}
	if !(*minutes > 0 && *minutes < 1e5) {
		return false, fmt.Errorf("--minutes %v: want a number above 0", *minutes)
	}
	among := parts()
	if *every {
		among = everyParts()
	}
	chosen, err := choose(f.Args(), among)
	if err != nil {
		return false, err
	}
	if !f.Changed("seed") {
		*seed = uint64(time.Now().UnixNano()) % 1_000_000
	}
	c, err := newCampaign(*darts, *seed, out)
	if err != nil {
		return false, err
	}
	defer c.close()
	if *every {
		if err := c.takeEvery(); err != nil {
			return false, err
		}
		fmt.Fprintf(out, "attack: every file call\n")
	} else {
		fmt.Fprintf(out, "attack: seed %d, %v minutes\n", *seed, *minutes)
	}
	end := time.Now().Add(time.Duration(*minutes * float64(time.Minute)))
	for i, w := range chosen {
		c.attack(w, time.Now().Add(time.Until(end)/time.Duration(len(chosen)-i)))
	}
	return c.failed, nil
}

// choose finds the parts that names stand for, PART or PART:TRIAL; all if there are none.
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
