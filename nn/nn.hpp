// The room nn: modules, layers, initial numbers, losses, and data, made or read from files. Below are its
// pages in the order to read them.
#pragma once
// clang-format off
// Networks
#include "nn/module.hpp"       // Module: a function of parameters and data, to be written in ten lines
#include "nn/layers.hpp"       // Linear, and Sequential, which applies modules one after another
#include "nn/activations.hpp"  // ReLU and its relatives as modules
#include "nn/normalise.hpp"    // Residual, Scale, Normalise
#include "nn/two_layer.hpp"    // the lectures' network, of which only the first layer is trained
#include "nn/init.hpp"         // how a parameter's first numbers are drawn
#include "nn/introspect.hpp"   // what each module gives, and the units that are active or dead

// Losses
#include "nn/losses.hpp"       // losses, and two measures of a classifier
#include "nn/margin_loss.hpp"  // the formulas of losses of the margin, for theory too

// Data
#include "nn/generators.hpp"   // labelled points, the sphere, a teacher network
#include "nn/idx.hpp"          // MNIST and its relatives
#include "nn/csv.hpp"          // CSV files of numbers
// clang-format on
