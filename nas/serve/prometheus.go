package serve

import (
	"bytes"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"godarts/nas/record"
)

// prometheus answers with figures of all runs in the text format 0.0.4 of Prometheus.
func (s *site) prometheus(w http.ResponseWriter, _ *http.Request) {
	s.index.scan(s.watch.every)
	runs, _, _ := s.index.list(0)
	var b bytes.Buffer
	metric := func(name, help string, values func(l *listed, sample func(value float64, labels ...string))) {
		fmt.Fprintf(&b, "# HELP %s %s\n# TYPE %s gauge\n", name, help, name)
		for i := range runs {
			values(&runs[i], func(value float64, labels ...string) {
				writeSample(&b, name, value, append([]string{"run", runs[i].Name}, labels...))
			})
		}
	}
	optional := func(value func(l *listed) (float64, bool)) func(*listed, func(float64, ...string)) {
		return func(l *listed, sample func(float64, ...string)) {
			if v, ok := value(l); ok {
				sample(v)
			}
		}
	}
	metric("godarts_run_info", "What the run does; always 1.", func(l *listed, sample func(float64, ...string)) {
		sample(1, "experiment", l.Experiment, "strategy", l.Strategy, "data", l.Data, "seed", strconv.FormatInt(l.Seed, 10))
	})
	metric("godarts_run_state", "1 for the state that the run is in, 0 for the others.", func(l *listed, sample func(float64, ...string)) {
		for _, state := range []record.State{record.Running, record.Interrupted, record.Diverged, record.Done} {
			value := 0.0
			if l.State == state {
				value = 1
			}
			sample(value, "state", string(state))
		}
	})
	metric("godarts_run_epochs_done", "Epochs that are done.", optional(func(l *listed) (float64, bool) { return float64(l.Epoch), true }))
	metric("godarts_run_epochs", "Epochs of the whole run.", optional(func(l *listed) (float64, bool) { return float64(l.Epochs), l.Epochs > 0 }))
	metric("godarts_run_figure", "The figure by which the run is judged, in its unit.", func(l *listed, sample func(float64, ...string)) {
		if l.Figure.What != "" {
			sample(l.Figure.Value, "figure", l.Figure.What)
		}
	})
	metric("godarts_run_train_loss", "The training loss of the epoch so far.", optional(func(l *listed) (float64, bool) {
		if l.TrainLoss == nil {
			return 0, false
		}
		return *l.TrainLoss, true
	}))
	metric("godarts_run_items_per_second", "Training images or tokens a second.", optional(func(l *listed) (float64, bool) { return l.Rate, l.Rate > 0 }))
	metric("godarts_run_left_seconds", "Estimated seconds to the end of the run.", optional(func(l *listed) (float64, bool) { return l.Left, l.Left > 0 }))
	metric("godarts_run_changed_timestamp_seconds", "When the run last wrote metrics.", optional(func(l *listed) (float64, bool) {
		return float64(l.Changed.UnixMilli()) / 1000, !l.Changed.IsZero()
	}))
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	_, _ = w.Write(b.Bytes())
}

var labelEscapes = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)

// writeSample writes a line: name{label="value"} 1.5. Labels are names and values in turn.
func writeSample(b *bytes.Buffer, name string, value float64, labels []string) {
	b.WriteString(name + "{")
	for i := 0; i < len(labels); i += 2 {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(b, `%s="%s"`, labels[i], labelEscapes.Replace(strings.ToValidUTF8(labels[i+1], "\uFFFD")))
	}
	b.WriteString("} " + strconv.FormatFloat(value, 'g', -1, 64) + "\n")
}
