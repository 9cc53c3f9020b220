// SPDX-License-Identifier: GPL-2.0
/* The same under the name that the machine loads and unloads. */
#include "planted.c"
