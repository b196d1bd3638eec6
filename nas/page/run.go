package page

import (
	"html/template"
	"io"
	"path/filepath"
	"regexp"

	"godarts/cells/genotype"
	"godarts/nas/config"
	"godarts/nas/figure"
	"godarts/nas/names"
	"godarts/nas/record"
	"godarts/nas/runfolder"
)

// runSections are the sections of the page of a run.
var runSections = []section{
	{"head", ""}, {"result", ""}, {"cells", "Cells"}, {"change", ""}, {"alpha", "α over the epochs"}, {"curves", "Curves"},
	{"evaluations", "Trainings"}, {"config", "Config"}, {"versions", "Program and machine"}, {"notes", "Notes"},
}

// RunSections are the ids of the sections of the page of a run.
var RunSections = ids(runSections)

// WriteRun writes the page of a run. The run may be in progress.
func WriteRun(w io.Writer, r *record.Run, o Options) error {
	v := &runView{Run: r, Options: o}
	return write(w, o, v.Name(), "run", runSections, v)
}

// RunSection returns a section of the page of a run, by its id.
func RunSection(id string, r *record.Run, o Options) (template.HTML, error) {
	s, err := named(runSections, id)
	if err != nil {
		return "", err
	}
	return s.render("run", &runView{Run: r, Options: o})
}

// runView is what the templates of a run ask for.
type runView struct {
	*record.Run
	Options Options
}

func (v *runView) labelled() figure.Labelled {
	return figure.Label([]*record.Run{v.Run})[0]
}

// Name is the name of the run's folder, with that of the folder above where it only says which part it is.
func (v *runView) Name() string {
	name := base(v.Dir)
	if part.MatchString(name) {
		return filepath.Join(base(filepath.Join(v.Dir, "..")), name)
	}
	return name
}

// part matches the folders of the parts of searches, protocols and comparisons.
var part = regexp.MustCompile(`^(found|(random|search|brief|train)(-\d+)?)$`)

// inline returns the figures, without those that are nil, for a page.
func inline(figures ...*figure.Figure) (all []template.HTML) {
	for _, f := range figures {
		if f != nil {
			all = append(all, template.HTML(f.Inline(figure.Size{}))) // its texts are escaped
		}
	}
	return all
}

// Curves are the figures over epochs.
func (v *runView) Curves() []template.HTML {
	runs := []figure.Labelled{v.labelled()}
	return inline(figure.Losses(runs), figure.Accuracies(runs), figure.Perplexities(runs), figure.LearningRate(runs), figure.Entropy(runs),
		figure.SkipConnections(runs), figure.Eigenvalue(runs), figure.GradientNorms(runs), figure.Sizes(runs), figure.Speed(runs))
}

// Change is how the cells changed.
func (v *runView) Change() []template.HTML { return inline(figure.Strip(v.labelled())) }

// Alpha are the heat maps of the cells.
func (v *runView) Alpha() []template.HTML {
	r := v.labelled()
	return inline(figure.Alpha(r, genotype.Normal), figure.Alpha(r, genotype.Reduce), figure.Alpha(r, genotype.Recurrent))
}

// Settings are the keys of the config: those that are not the defaults, and the others.
func (v *runView) Settings() (s struct{ Changed, Default []config.Setting }) {
	for _, setting := range v.Config.Settings() {
		if setting.Path == "genotype" { // stands below its drawing
			continue
		}
		if setting.Changed() {
			s.Changed = append(s.Changed, setting)
		} else {
			s.Default = append(s.Default, setting)
		}
	}
	return s
}

// Repeat is the command that makes the same run anew.
func (v *runView) Repeat() string {
	return names.Command("darts", v.Config.Experiment, filepath.Join(v.Dir, runfolder.ConfigFile), "--out", v.Dir+"-again")
}

// Command is the command line that started the run, empty for older ones.
func (v *runView) Command() string {
	if v.Info == nil {
		return ""
	}
	return names.Escape(v.Info.Command)
}

// Resume is the command that goes on with an interrupted run, empty for others.
func (v *runView) Resume() string {
	if v.State != record.Interrupted && v.State != record.Diverged || v.Options.Live {
		return ""
	}
	return names.Command("darts", v.Config.Experiment, "--resume", v.Dir)
}

// Versions say what program ran on what machine.
func (v *runView) Versions() []Fact {
	if v.Info == nil {
		return nil
	}
	var f facts
	for _, it := range []Fact{
		{"darts", v.Info.Version}, {"libtorch", v.Info.Libtorch}, {"Go", v.Info.Go}, {"platform", v.Info.Platform},
		{"processor", v.Info.Processor}, {"JPEG", v.Info.JPEG}, {"host", v.Info.Host}, {"id", v.Info.ID},
	} {
		f.add(it.Name, names.Print(it.Value))
	}
	return f
}

// AllNotes are what could not be read, and how the run diverged.
func (v *runView) AllNotes() []string {
	notes := v.Notes
	if v.Diverged != nil {
		notes = append([]string{"The run diverged in " + v.Diverged.Short()}, notes...)
	}
	return notes
}
