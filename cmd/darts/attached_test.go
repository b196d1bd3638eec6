package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"godarts/nas"
	"godarts/nas/config"
	"godarts/nas/fixture"
	"godarts/nas/notify"
	"godarts/nas/runfolder"
)

// receiver returns the address of a server for messages, and what it has got.
func receiver(t *testing.T) (address string, got <-chan notify.Message) {
	t.Helper()
	messages := make(chan notify.Message, 10)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var m notify.Message
		if err := json.NewDecoder(r.Body).Decode(&m); err != nil {
			t.Error(err)
		}
		messages <- m
	}))
	t.Cleanup(server.Close)
	return server.URL, messages
}

func TestServeAndNotify(t *testing.T) {
	// A search shows its page while it goes on and posts how it ended, when flags ask for both.
	out := filepath.Join(t.TempDir(), "run")
	address, messages := receiver(t)
	var printed strings.Builder
	pages := regexp.MustCompile(`page until the run ends: (http://127\.0\.0\.1:\d+/run/)\n`)
	var page, url string
	stdout := fixture.Writer(func(text string) {
		printed.WriteString(text)
		if m := pages.FindStringSubmatch(text); m != nil {
			url = m[1]
		}
		if url == "" || !strings.Contains(text, "epoch 1/2") {
			return
		}
		answer, err := http.Get(url)
		if err != nil {
			t.Error(err)
			return
		}
		defer answer.Body.Close()
		body, err := io.ReadAll(answer.Body)
		if err != nil {
			t.Error(err)
		}
		page = string(body)
	})
	var stderr strings.Builder
	args := []string{"search", writeFile(t, "tiny.yaml", tinyConfig), "--out", out, "--set", "evaluate=null", "--serve=127.0.0.1:0", "--notify", address}
	if status := run(args, stdout, &stderr); status != exitOK {
		t.Fatalf("status %d, %s", status, stderr.String())
	}
	if !strings.Contains(page, "running") || !strings.Contains(page, `<section id="curves"`) {
		t.Errorf("page at %q while the search goes on:\n%s\n%s", url, page, printed.String())
	}
	if _, err := http.Get(url); err == nil {
		t.Error("the pages are there after the run")
	}
	m := <-messages
	if m.Command != "search" || m.Run != out || m.State != "done" || m.Figure == nil || m.Epoch != 2 || m.Epochs != 2 {
		t.Errorf("%+v", m)
	}
}

func TestNotifyStates(t *testing.T) {
	// The message says how a run ended, and the run ends as without it when the message is lost.
	address, messages := receiver(t)
	diverged := &runfolder.DivergedError{Epoch: 1, Step: 2, What: "the loss is NaN"}
	for _, test := range []struct {
		err         error
		want, error string
	}{
		{nil, "done", ""},
		{context.Canceled, "interrupted", "context canceled"},
		{diverged, "diverged", "the loss is NaN"},
		{&runfolder.FailedError{Parts: []string{"train-4: the loss is NaN"}, Of: 5}, "diverged", "1 of 5 parts"},
		{fmt.Errorf("disk full"), "failed", "disk full"},
	} {
		dir := t.TempDir()
		part := filepath.Join(dir, "train-4")
		k := kind{name: "repeat", attached: attachedFlags{notify: address}, run: func(_ context.Context, _ string, _ *config.Config, s nas.Settings, _ io.Writer) error {
			if err := s.Hooks[0].OnStart(nil); err != nil { // that of start
				t.Error(err)
			}
			for _, h := range s.Hooks {
				if test.want == "diverged" && h.OnStart == nil && h.OnEnd != nil {
					if err := h.OnEnd(&nas.Run{Dir: part}, diverged); err != nil {
						t.Error(err)
					}
				}
			}
			return test.err
		}}
		end := k.start(dir, nil, nas.Settings{}, io.Discard, io.Discard)
		if test.err == nil && end != nil {
			t.Error(end)
		}
		runs := map[string]notify.Message{}
		for range len(messages) { // start has waited for them
			m := <-messages
			runs[m.Run] = m
		}
		if m := runs[dir]; m.State != test.want || !strings.Contains(m.Error, test.error) || m.Command != "repeat" {
			t.Errorf("%v: %+v", test.err, runs)
		}
		if m, there := runs[part]; there != (test.want == "diverged") || there && m.State != "diverged" {
			t.Errorf("%v: %+v", test.err, runs)
		}
	}
}

func TestNotifyLost(t *testing.T) {
	// A run is done with a note, and the address is not shown, when nobody answers there.
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	var stdout, stderr strings.Builder
	args := []string{"train", writeFile(t, "tiny.yaml", tinyTraining), "--out", filepath.Join(t.TempDir(), "run")}
	t.Setenv("GODARTS_NOTIFY", "http://"+closed.Addr().String()+"/secret")
	if status := run(args, &stdout, &stderr); status != exitOK || !strings.HasPrefix(stderr.String(), "note: notify: the message did not arrive: ") || strings.Contains(stderr.String(), "secret") {
		t.Errorf("status %d, stderr %s", status, stderr.String())
	}
}

func TestServeAddresses(t *testing.T) {
	// A command ends with status 2 before it begins anything when an address is wrong or taken.
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	file := writeFile(t, "tiny.yaml", tinyTraining)
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"train", file, "--serve=" + taken.Addr().String()}, "address already in use"},
		{[]string{"train", file, "--serve=6006"}, "want HOST:PORT"},
		{[]string{"train", file, "--notify", "secret"}, "want an address such as https://HOST/PATH"},
		{[]string{"serve", filepath.Join(t.TempDir(), "none")}, "there is no folder"},
		{[]string{"serve", t.TempDir(), "--listen", "nonsense"}, "want HOST:PORT"},
	} {
		t.Chdir(t.TempDir())
		var stdout, stderr strings.Builder
		if status := run(test.args, &stdout, &stderr); status != exitUsage || !strings.Contains(stderr.String(), test.want) || strings.Contains(stderr.String(), "secret") {
			t.Errorf("%v: status %d, %s", test.args, status, stderr.String())
		}
		if left, err := filepath.Glob("runs/*"); err != nil || len(left) > 0 {
			t.Errorf("%v: left %v, %v", test.args, left, err)
		}
	}
}

func TestServeCommand(t *testing.T) {
	// darts serve shows the runs of a folder until a signal comes, and ends with status 0.
	read, write := io.Pipe()
	defer read.Close()
	ended := make(chan int, 1)
	go func() { ended <- run([]string{"serve", t.TempDir(), "--listen", "127.0.0.1:0"}, write, io.Discard) }()
	line, err := bufio.NewReader(read).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	go func() { _, _ = io.Copy(io.Discard, read) }()
	answer, err := http.Get(strings.TrimSpace(line[strings.LastIndexByte(line, ' ')+1:])) // signals are handled once it answers
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if err := syscall.Kill(os.Getpid(), syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if status := <-ended; status != exitOK || answer.StatusCode != http.StatusOK {
		t.Errorf("status %d, of the page %d", status, answer.StatusCode)
	}
}
