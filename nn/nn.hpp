// The room nn: modules, layers, initial numbers, losses, and a reader of IDX files.
#pragma once
#include "nn/idx.hpp"
#include "nn/init.hpp"
#include "nn/layers.hpp"
#include "nn/losses.hpp"
#include "nn/module.hpp"
