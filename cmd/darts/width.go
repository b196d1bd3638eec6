package main

import (
	"fmt"
	"strconv"
	"strings"
)

// millimetres is a length on paper, as a flag.
type millimetres float64

// units are the millimetres of each unit of a length; "" is the unit of a number by itself.
var units = map[string]float64{"": 1, "mm": 1, "cm": 10, "in": 25.4, "pt": 25.4 / 72}

// Set implements pflag.Value.
func (m *millimetres) Set(text string) error {
	digits := strings.TrimRight(text, "abcdefghijklmnopqrstuvwxyz ")
	unit, known := units[strings.TrimSpace(text[len(digits):])]
	x, err := strconv.ParseFloat(digits, 64)
	const least, most = 10, 1000
	if err != nil || !known || !(least <= x*unit && x*unit <= most) {
		return fmt.Errorf("want a length of %dmm to %dmm, such as 85mm, 8.5cm or 3.3in", least, most)
	}
	*m = millimetres(x * unit)
	return nil
}

// String implements pflag.Value.
func (m *millimetres) String() string {
	if *m == 0 {
		return ""
	}
	return strconv.FormatFloat(float64(*m), 'g', 6, 64) + "mm"
}

// Type implements pflag.Value.
func (m *millimetres) Type() string { return "WIDTH" }
