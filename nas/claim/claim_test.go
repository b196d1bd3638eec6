package claim

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// takerDir in the environment makes the test binary take claims in that folder and print the
// ones that it got.
const takerDir = "GODARTS_TEST_TAKER"

// allTried is the last line of such a process.
const allTried = "all tried"

// Numbers of claims that processes take at once, and of goroutines that take them in each.
const claims, takers = 20, 8

func TestMain(m *testing.M) {
	dir := os.Getenv(takerDir)
	if dir == "" {
		os.Exit(m.Run())
	}
	bufio.NewReader(os.Stdin).ReadByte() // until the test starts all processes at once
	for n := range claims {
		fmt.Print(strings.Repeat(nameOf(n)+"\n", takeAtOnce(Folder{Dir: dir, Stale: time.Hour}, nameOf(n))))
	}
	fmt.Println(allTried)
	bufio.NewReader(os.Stdin).ReadByte() // the claims of a process that ended are free
}

func nameOf(n int) string { return fmt.Sprintf("work-%d", n) }

// takeAtOnce lets goroutines take the same claim, which they keep, and returns how many got it.
func takeAtOnce(f Folder, name string) int {
	var won atomic.Int64
	var all sync.WaitGroup
	start := make(chan struct{})
	for range takers {
		all.Go(func() {
			<-start
			_, err := f.Take(name)
			var held *HeldError
			switch {
			case err == nil:
				won.Add(1)
			case !errors.As(err, &held):
				fmt.Fprintln(os.Stderr, err)
				won.Add(1000)
			}
		})
	}
	close(start)
	all.Wait()
	return int(won.Load())
}

// claimBy writes the first claim to name as another process left it.
func claimBy(t *testing.T, f Folder, name string, h Holder, age time.Duration, more string) {
	t.Helper()
	line, err := json.Marshal(h)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(f.path(name, 1), []byte(string(line)+"\n"+more), 0o644); err != nil {
		t.Fatal(err)
	}
	then := time.Now().Add(-age)
	if err := os.Chtimes(f.path(name, 1), then, then); err != nil {
		t.Fatal(err)
	}
}

// ended returns a process of this machine that has ended.
func ended(t *testing.T) Holder {
	t.Helper()
	p := exec.Command("true")
	if err := p.Run(); err != nil {
		t.Fatal(err)
	}
	h := self(time.Hour)
	h.PID = p.Process.Pid
	return h
}

func TestTake(t *testing.T) {
	// A claim goes to the next process when its holder gave it back, is dead or has been silent for the time it promised, and to none before.
	here, elsewhere, reused := self(time.Hour), self(time.Hour), self(time.Hour)
	elsewhere.Kernel, elsewhere.Host = "other boot", "other"
	reused.Start = "1"
	hasty := elsewhere
	hasty.StaleSeconds = 60
	for _, test := range []struct {
		name   string
		holder Holder
		age    time.Duration
		more   string
		free   bool
	}{
		{"alive", here, 0, "", false},
		{"alive but silent", here, 61 * time.Minute, "", true},
		{"elsewhere", elsewhere, 50 * time.Minute, "", false},
		{"elsewhere, silent", elsewhere, 61 * time.Minute, "", true},
		{"elsewhere, silent for its own time", hasty, 2 * time.Minute, "", true},
		{"elsewhere, not for its own time", hasty, 50 * time.Second, "", false},
		{"dead", ended(t), 0, "", true},
		{"dead, its number used again", reused, 0, "", true},
		{"given back", here, 0, released, true},
		{"just starting", Holder{}, 0, "", false},
		{"just starting, by a slow disk", Holder{}, 4 * time.Second, "", false},
		{"died while starting", Holder{}, 6 * time.Second, "", true},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := Folder{Dir: t.TempDir(), Stale: time.Hour}
			claimBy(t, f, "work", test.holder, test.age, test.more)
			c, err := f.Take("work")
			var held *HeldError
			switch {
			case test.free && err != nil:
				t.Fatal(err)
			case test.free:
				c.Release()
			case !errors.As(err, &held) || held.Holder.PID != test.holder.PID:
				t.Errorf("got %v, %v, want an error that names the holder", c, err)
			}
		})
	}
}

func TestOneWinner(t *testing.T) {
	// One of many goroutines gets the claim when they find it stale, given back or free at once.
	f := Folder{Dir: t.TempDir(), Stale: time.Hour}
	dead, elsewhere := ended(t), self(time.Hour)
	elsewhere.Kernel = "other boot"
	for round := range 60 {
		name := nameOf(round)
		switch round % 4 {
		case 0:
			claimBy(t, f, name, elsewhere, 2*time.Hour, "")
		case 1:
			claimBy(t, f, name, dead, 0, "")
		case 2:
			claimBy(t, f, name, elsewhere, 0, released)
		}
		if won := takeAtOnce(f, name); won != 1 {
			t.Errorf("round %d: %d winners", round, won)
		}
	}
}

func TestOneWinnerAmongProcesses(t *testing.T) {
	// One of several processes gets each claim when all of them find it stale at once.
	f := Folder{Dir: t.TempDir(), Stale: time.Hour}
	elsewhere := self(time.Hour)
	elsewhere.Kernel = "other boot"
	for n := range claims {
		claimBy(t, f, nameOf(n), elsewhere, 2*time.Hour, "")
	}
	type process struct {
		in  io.WriteCloser
		out *bufio.Scanner
	}
	var processes []process
	for range 4 {
		p := exec.Command(os.Args[0])
		p.Env = append(os.Environ(), takerDir+"="+f.Dir)
		p.Stderr = os.Stderr
		in, err := p.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		out, err := p.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := p.Start(); err != nil {
			t.Fatal(err)
		}
		defer p.Wait()
		defer in.Close()
		processes = append(processes, process{in, bufio.NewScanner(out)})
	}
	for _, p := range processes {
		p.in.Write([]byte("\n"))
	}
	won := map[string]int{}
	for _, p := range processes {
		for p.out.Scan() && p.out.Text() != allTried {
			won[p.out.Text()]++
		}
	}
	for n := range claims {
		if count := won[nameOf(n)]; count != 1 {
			t.Errorf("%s: %d winners", nameOf(n), count)
		}
	}
}

func TestPaused(t *testing.T) {
	// A holder that was paused knows before it goes on that it lost its claim when another has taken it, and holds it otherwise.
	for _, taken := range []bool{false, true} {
		t.Run(fmt.Sprint("taken ", taken), func(t *testing.T) {
			f := Folder{Dir: t.TempDir(), Stale: time.Hour}
			c, err := f.Take("work")
			if err != nil {
				t.Fatal(err)
			}
			defer c.Release()
			then := time.Now().Add(-2 * time.Hour) // as if the holder had done nothing since
			c.renewed = then
			if err := os.Chtimes(f.path("work", 1), then, then); err != nil {
				t.Fatal(err)
			}
			if taken {
				other, err := f.Take("work")
				if err != nil {
					t.Fatal(err)
				}
				defer other.Release()
			}
			for range 2 {
				if err := c.Check(); errors.Is(err, ErrLost) != taken || err != nil && !taken {
					t.Errorf("Check gives %v", err)
				}
			}
			var held *HeldError
			if _, err := f.Take("work"); !errors.As(err, &held) {
				t.Errorf("a third gets %v", err)
			}
		})
	}
}

func TestRenewed(t *testing.T) {
	// A claim is renewed while its holder does nothing, and Check fails when the file is removed.
	f := Folder{Dir: t.TempDir(), Stale: 120 * time.Millisecond}
	c, err := f.Take("work")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Release()
	then := time.Now().Add(-time.Hour)
	if err := os.Chtimes(f.path("work", 1), then, then); err != nil {
		t.Fatal(err)
	}
	for {
		s, err := f.read("work", 1)
		if err != nil {
			t.Fatal(err)
		}
		if s.renewed.After(then.Add(time.Minute)) {
			break
		}
		time.Sleep(time.Millisecond)
	}
	if err := os.RemoveAll(f.Dir); err != nil {
		t.Fatal(err)
	}
	for c.Check() == nil {
		time.Sleep(time.Millisecond)
	}
	if err := c.Check(); !strings.Contains(err.Error(), "work.1 was removed") {
		t.Errorf("got %v", err)
	}
}

func TestBadName(t *testing.T) {
	// Take refuses a name when it could be a path or another claim's file.
	for _, name := range []string{"", "a.1", "a/b", ".."} {
		if _, err := (Folder{Dir: t.TempDir()}).Take(name); err == nil {
			t.Errorf("%q: no error", name)
		}
	}
}
