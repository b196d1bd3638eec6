package main

import (
	"fmt"
	"io"

	"godarts/nas/config"
	"godarts/nas/names"
	"godarts/nas/runfolder"
)

func printResult(w io.Writer, r runfolder.TrainResult) {
	if r.LanguageModelResult != nil {
		printLanguageModel(w, r)
		return
	}
	if r.Validated != nil {
		printMeasured(w, r, "validation", r.ValidError, r.ValidTopFiveError, r.ValidLoss)
		return
	}
	printMeasured(w, r, "test", r.TestError, r.TestTopFiveError, r.TestLoss)
}

// printMeasured prints r, where e is the error on the images.
func printMeasured(w io.Writer, r runfolder.TrainResult, images string, e float64, topFive *float64, loss float64) {
	fmt.Fprintf(w, "%s error %.2f %%", images, e)
	if topFive != nil {
		fmt.Fprintf(w, ", top-5 error %.2f %%", *topFive)
	}
	fmt.Fprintf(w, ", loss %.4f, %d parameters", loss, r.Parameters)
	if r.Skipped > 0 {
		fmt.Fprintf(w, "; images left out, which could not be decoded: %d", r.Skipped)
	}
	fmt.Fprintln(w)
}

// printLanguageModel prints the result of a language model.
func printLanguageModel(w io.Writer, r runfolder.TrainResult) {
	fmt.Fprintf(w, "test %v; %d parameters\n", r.Test, r.Parameters)
	if r.Valid == nil {
		return
	}
	fmt.Fprintf(w, "validation %v; the best was epoch %d", r.Valid, r.BestEpoch)
	if r.Restarts > 0 {
		fmt.Fprintf(w, "; times that training diverged and went back: %d", r.Restarts)
	}
	fmt.Fprintln(w)
}

func printExpect(w io.Writer, c *config.Config) {
	if e := c.Expect; e != nil && c.Data.IsText() {
		fmt.Fprintf(w, "%s: test perplexity %.2f (%s)\n", names.Print(e.Title()), e.TestPerplexity, names.Print(e.Source))
	} else if e != nil {
		text := fmt.Sprintf("%.2f", e.TestError)
		if e.Std > 0 {
			text += fmt.Sprintf(" ± %.2f", e.Std)
		}
		if e.TopFive > 0 {
			text += fmt.Sprintf(" %%, top-5 error %.2f", e.TopFive)
		}
		fmt.Fprintf(w, "%s: test error %s %% (%s)\n", names.Print(e.Title()), text, names.Print(e.Source))
	}
}

// notesOf returns the notes on the cell that where names.
func notesOf(where string) []string {
	if note := runfolder.GenotypeNote(where); note != "" {
		return []string{note}
	}
	return nil
}

// printNotes prints notes.
func printNotes(w io.Writer, notes []string) {
	for _, note := range notes {
		fmt.Fprintln(w, "note:", names.Escape(note))
	}
}
