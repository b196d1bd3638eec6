package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"godarts/cells/genotype"
	"godarts/nas/bench"
	"godarts/nas/config"
	"godarts/nas/plan"
	"godarts/nas/prune"
	"godarts/nas/runfolder"
	"godarts/nas/train"
)

// configFiles completes the CONFIG of a command: a file, or the name of a config in the program that is of the
// command's experiment.
func configFiles(c *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	experiment := c.Annotations[experimentNote]
	if found := builtins(typed, experiment); typed != "" && len(found) > 0 && !isStart(typed) {
		return found, cobra.ShellCompDirectiveNoFileComp
	}
	return []cobra.Completion{"yaml", "yml"}, cobra.ShellCompDirectiveFilterFileExt
}

// isStart reports whether a file's name starts as typed.
func isStart(typed string) bool {
	entries, _ := os.ReadDir(".")
	return slices.ContainsFunc(entries, func(e os.DirEntry) bool { return strings.HasPrefix(e.Name(), typed) })
}

// builtins returns the names that start as typed of the configs in the program, with their titles: those of an
// experiment, or all without one.
func builtins(typed, experiment string) (found []cobra.Completion) {
	for _, b := range config.Builtins() {
		if !strings.HasPrefix(b.Name, typed) {
			continue
		}
		if c, err := config.Load(b.Name); experiment == "" || err == nil && c.Experiment == experiment {
			found = append(found, cobra.CompletionWithDesc(b.Name, b.Title))
		}
	}
	return found
}

// cells completes a cell: a published name, the folder of a run, or a file.
func cells(c *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return cellsOfFlag(c, args, typed)
}

func cellsOfFlag(_ *cobra.Command, _ []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
	names := slices.DeleteFunc(published(), func(name string) bool { return !strings.HasPrefix(name, typed) })
	found := append(names, folders(typed, holdsCell)...)
	if len(found) == 0 {
		return nil, cobra.ShellCompDirectiveDefault // files
	}
	return found, cobra.ShellCompDirectiveNoFileComp
}

// folderOf completes a folder.
func folderOf(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return nil, cobra.ShellCompDirectiveFilterDirs
}

// published returns the names of the published cells.
func published() (found []string) {
	for _, g := range slices.Concat(genotype.Published, genotype.PublishedRecurrent) {
		found = append(found, g.Name)
	}
	slices.Sort(found)
	return slices.Compact(found) // some name a cell of each kind
}

// trained completes the folder of a run or an export.
func trained(_ *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return orFolders(folders(typed, holdsCell))
}

// runs completes the folder of a run or of a protocol.
func runs(c *cobra.Command, _ []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if c.Annotations[experimentNote] == config.Repeat {
		return orFolders(folders(typed, plan.HoldsProtocol))
	}
	return orFolders(folders(typed, runfolder.HoldsRun))
}

// orFolders completes any folder if found is empty.
func orFolders(found []string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(found) == 0 {
		return nil, cobra.ShellCompDirectiveFilterDirs
	}
	return found, cobra.ShellCompDirectiveNoFileComp
}

// holdsCell reports whether dir is a run or an export.
func holdsCell(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, "genotype.txt"))
	return err == nil || runfolder.HoldsRun(dir)
}

// folders returns the folders for which holds is true and whose paths start as typed: those beside typed, and those
// in the folder runs where typed is its start. It opens no file.
func folders(typed string, holds func(dir string) bool) (found []string) {
	parents := []string{filepath.Dir(typed + "x")}
	if strings.HasPrefix("runs", typed) {
		parents = append(parents, "runs")
	}
	for _, parent := range parents {
		entries, _ := os.ReadDir(parent) // what cannot be read completes nothing
		for _, entry := range entries {
			path := filepath.Join(parent, entry.Name())
			if strings.HasPrefix(typed, "./") {
				path = "./" + path
			}
			if strings.HasPrefix(path, typed) && entry.IsDir() && holds(path) {
				found = append(found, path)
			}
		}
	}
	return found
}

// settings completes the KEY=VALUE of --set for an experiment's config. A protocol and a comparison also set keys of
// the configs that they name.
func settings(experiment string) cobra.CompletionFunc {
	return func(_ *cobra.Command, _ []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
		prefix, keys := "", config.KeysOf(experiment)
		if experiment == config.Repeat || experiment == config.Comparison {
			for named, of := range map[string]string{config.Search: config.Search, config.Train: config.Train, "evaluate.train": config.Train} {
				if strings.HasPrefix(typed, named+".") {
					prefix, keys = named+".", config.KeysOf(of)
				}
			}
		}
		if base := "base."; experiment == config.Sweep && strings.HasPrefix(typed, base) {
			prefix, keys = base, config.KeysOf(config.Search)
		}
		path, _, valued := strings.Cut(typed, "=")
		var found []cobra.Completion
		for _, k := range keys {
			switch name := prefix + k.Path; {
			case !valued && strings.HasPrefix(name, typed):
				found = append(found, cobra.CompletionWithDesc(name+"=", k.Text))
			case valued && name == path:
				values := k.Values
				if k.Path == "genotype" {
					values = published()
				}
				for _, value := range values {
					found = append(found, name+"="+value)
				}
			}
		}
		if valued {
			return found, cobra.ShellCompDirectiveNoFileComp
		}
		return found, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
	}
}

// completeFlags registers completions of the values of c's flags, by the flags' names and by the kind of file that
// their help names.
func completeFlags(c *cobra.Command, experiment string) {
	if experiment == "" {
		experiment = config.Train // of the commands without one, which read a training's config
	}
	files := func(directive cobra.ShellCompDirective, extensions ...string) cobra.CompletionFunc {
		return cobra.FixedCompletions(extensions, directive)
	}
	named := map[string]cobra.CompletionFunc{
		"set":      settings(experiment),
		"genotype": cellsOfFlag,
		"resume":   runs,
		"device":   cobra.FixedCompletions([]string{"cpu", "cuda"}, cobra.ShellCompDirectiveNoFileComp),
		"by":       cobra.FixedCompletions(prune.By, cobra.ShellCompDirectiveNoFileComp),
		"method":   cobra.FixedCompletions([]string{"min-max", "percentile", "mse"}, cobra.ShellCompDirectiveNoFileComp),
		"range":    cobra.FixedCompletions([]string{train.AutoRange, config.FullRange, config.ReducedRange}, cobra.ShellCompDirectiveNoFileComp),
		"size":     cobra.FixedCompletions([]string{"quick", "full"}, cobra.ShellCompDirectiveNoFileComp),
		"count":    cobra.FixedCompletions([]string{countCPU, countGPU}, cobra.ShellCompDirectiveNoFileComp),
		"form":     cobra.FixedCompletions(bench.Forms(), cobra.ShellCompDirectiveNoFileComp),
		"rows":     benchRows,
		"what":     cobra.FixedCompletions(figureNames(), cobra.ShellCompDirectiveNoFileComp),
		"kind":     cobra.FixedCompletions([]string{"normal", "reduce", "recurrent"}, cobra.ShellCompDirectiveNoFileComp),
		"weights":  files(cobra.ShellCompDirectiveFilterFileExt, "safetensors", "pt", "pth"),
		"chart":    files(cobra.ShellCompDirectiveFilterFileExt, "png", "svg"),
	}
	kinds := map[string]cobra.CompletionFunc{
		"FILE":   files(cobra.ShellCompDirectiveDefault),
		"DIR":    files(cobra.ShellCompDirectiveFilterDirs),
		"folder": files(cobra.ShellCompDirectiveFilterDirs),
	}
	c.Flags().VisitAll(func(flag *pflag.Flag) {
		complete := named[flag.Name]
		if complete == nil {
			kind, _ := pflag.UnquoteUsage(flag)
			complete = kinds[kind]
		}
		if complete != nil {
			_ = c.RegisterFlagCompletionFunc(flag.Name, complete)
		}
	})
}

// benchRows completes the last row of a list.
func benchRows(_ *cobra.Command, _ []string, typed string) (found []cobra.Completion, _ cobra.ShellCompDirective) {
	before := typed[:strings.LastIndexByte(typed, ',')+1]
	for _, row := range bench.Rows() {
		found = append(found, before+row.Name)
	}
	return found, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
}
