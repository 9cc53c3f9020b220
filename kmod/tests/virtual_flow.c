// SPDX-License-Identifier: GPL-2.0
#include "virtual.h"
#include "../flow.c"
