package tensorboard

import (
	"os"
	"path/filepath"
	"time"

	"godarts/nas/config"
	"godarts/nas/record"
	"godarts/nas/runfolder"
)

// Export writes an event file of the run to dir, in place of the one that an earlier call wrote there.
func Export(r *record.Run, dir string) error {
	records, err := new(series).all(r)
	if err != nil {
		return err
	}
	end, err := ending(r)
	if err != nil {
		return err
	}
	_, err = create(dir, append(records, end...))
	return err
}

// all returns the records of the run so far, without its end.
func (s *series) all(r *record.Run) ([]byte, error) {
	times := map[[2]int]runfolder.Timing{}
	for _, t := range r.Timings {
		times[[2]int{t.Epoch, t.Step}] = t
	}
	lines := inOrder(r.Steps, r.Epochs)
	wall := wrote(r.Dir, runfolder.MetricsFile)
	if len(r.Timings) > 0 {
		wall = r.Timings[0].Time
	}
	records, err := beginning(r, wall)
	if err != nil {
		return nil, err
	}
	for _, m := range lines {
		t := times[[2]int{m.Epoch, m.Step}]
		if t.Time != 0 {
			wall = t.Time
		}
		e, err := s.line(m, t, wall)
		if err != nil {
			return nil, err
		}
		if e != nil {
			records = appendFrame(records, e)
		}
	}
	return records, nil
}

// inOrder returns all lines in the order of the file: those within an epoch before that of the epoch.
func inOrder(steps, epochs []runfolder.Metric) (all []runfolder.Metric) {
	for _, e := range epochs {
		for len(steps) > 0 && steps[0].Epoch <= e.Epoch {
			all, steps = append(all, steps[0]), steps[1:]
		}
		all = append(all, e)
	}
	return append(all, steps...)
}

// wrote returns when a file of the run folder was last written, or the current time without the file.
func wrote(dir, name string) float64 {
	if about, err := os.Stat(filepath.Join(dir, name)); err == nil {
		return seconds(about.ModTime())
	}
	return seconds(time.Now())
}

func seconds(t time.Time) float64 { return float64(t.UnixMicro()) / 1e6 }

// beginning returns the first records of a file, whose first line is of a time: its version, the restart, the
// command and the config as texts, and the config as hyper-parameters.
func beginning(r *record.Run, wall float64) ([]byte, error) {
	hparams, err := hparamsOf(r.Config)
	if err != nil {
		return nil, err
	}
	resolved, err := r.Config.YAML()
	if err != nil {
		return nil, err
	}
	texts := []message{text("config", verbatim(string(resolved)))}
	if r.Info != nil && r.Info.Command != "" {
		texts = append(texts, text("command", verbatim(r.Info.Command)))
	}
	if r.Info != nil && !r.Info.Started.IsZero() {
		wall = min(wall, seconds(r.Info.Started))
	}
	records := appendFrame(nil, versionEvent(wall))
	records = appendFrame(records, restartEvent(wall))
	return appendFrame(records, event(wall, 0, append(texts, experiment(hparams, resultTags(r.Config)), session(hparams, wall)))), nil
}

// resultTags returns the tags of the figures that TensorBoard lists beside the hyper-parameters.
func resultTags(c *config.Config) (tags []string) {
	search := c.Experiment == config.Search
	switch {
	case search && c.Data.IsText():
		return []string{"perplexity/valid"}
	case c.Data.IsText():
		return []string{"result/test_perplexity", "result/valid_perplexity", "result/parameters"}
	case search && c.Evaluate != nil:
		tags = []string{"result/test_error", "result/parameters"}
	case search:
	case c.Data.TrainPortion < 1:
		return []string{"result/valid_error", "result/valid_loss", "result/parameters"}
	default:
		return []string{"result/test_error", "result/test_loss", "result/parameters"}
	}
	return append(tags, "accuracy/valid", "loss/valid")
}

// ending returns the records of the result of a run that is complete, and of the end of one that is
// complete or diverged.
func ending(r *record.Run) ([]byte, error) {
	var status uint64
	wall := wrote(r.Dir, runfolder.MetricsFile)
	switch r.State {
	case record.Done:
		status, wall = statusSuccess, wrote(r.Dir, runfolder.ResultFile)
	case record.Diverged:
		status = statusFailure
	default:
		return nil, nil
	}
	values := results(r)
	if len(r.Epochs) > 0 {
		values = append(values, sessionEnd(status, wall))
		return appendFrame(nil, event(wall, r.Epochs[len(r.Epochs)-1].Epoch+1, values)), nil
	}
	return appendFrame(nil, event(wall, 0, append(values, sessionEnd(status, wall)))), nil
}

// results returns the figures of the result.
func results(r *record.Run) (values []message) {
	if r.Train != nil {
		return result("result/", *r.Train)
	}
	if r.Search == nil {
		return nil
	}
	if v := r.Search.Valid; v != nil {
		values = append(values, scalar("result/valid_perplexity", v.Perplexity))
	}
	for i, e := range r.Search.Evaluations {
		group := "result/"
		if i > 0 { // the first is that of the found cell
			group += clean(e.Name) + "/"
		}
		values = append(values, result(group, e)...)
	}
	return values
}

// result returns the figures of a training, with their tags in a group.
func result(group string, t runfolder.TrainResult) []message {
	if t.Diverged != nil {
		return nil
	}
	parameters := float64(t.Parameters)
	all := []given{{group + "parameters", &parameters}}
	if v := t.Tested; v != nil {
		all = append(all, given{group + "test_error", &v.TestError}, given{group + "test_loss", &v.TestLoss},
			given{group + "test_top_five_error", v.TestTopFiveError})
	}
	if v := t.Validated; v != nil {
		all = append(all, given{group + "valid_error", &v.ValidError}, given{group + "valid_loss", &v.ValidLoss},
			given{group + "valid_top_five_error", v.ValidTopFiveError})
	}
	if v := t.LanguageModelResult; v != nil {
		if v.Test != nil {
			all = append(all, given{group + "test_perplexity", &v.Test.Perplexity})
		}
		if v.Valid != nil {
			all = append(all, given{group + "valid_perplexity", &v.Valid.Perplexity})
		}
	}
	return scalars(all)
}
