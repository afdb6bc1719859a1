// The room nn: modules, layers, initial numbers, losses, and data: made, or read from IDX and CSV files.
#pragma once
#include "nn/activations.hpp"
#include "nn/csv.hpp"
#include "nn/generators.hpp"
#include "nn/idx.hpp"
#include "nn/init.hpp"
#include "nn/introspect.hpp"
#include "nn/layers.hpp"
#include "nn/losses.hpp"
#include "nn/margin_loss.hpp"
#include "nn/module.hpp"
#include "nn/normalise.hpp"
#include "nn/two_layer.hpp"
