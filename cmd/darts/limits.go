package main

import "C" // limits.c is compiled for its effect
