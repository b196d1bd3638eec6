// Command campaign attacks the program: it kills runs at any moment and system call, signals
// them, cuts the power, fills their disk, damages their files, fuzzes the readers and gives
// hostile input. It checks after each attack what the program promises. scripts/attack builds
// and starts it:
//
//	scripts/attack                       a minute, shared by all parts
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

// run runs the command line. found tells whether an attack found something.
func run(args []string, out io.Writer) (found bool, err error) {
	f := pflag.NewFlagSet("attack", pflag.ContinueOnError)
	f.SortFlags = false
	f.SetOutput(out)
	minutes := f.Float64("minutes", 1, "how long to attack, shared by the parts")
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
