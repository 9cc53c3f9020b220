#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Prints what transfers.txt holds: 20000 lines "ID FROM TO CENTS"."""

import random

generator = random.Random(18)
for number in range(1, 20001):
    payer = int(generator.random() * 100)
    payee = (payer + 1 + int(generator.random() * 99)) % 100
    # as many small amounts as large ones, from 1 to 1000
    cents = int(100 * 1000 ** generator.random())
    print(number, payer + 1, payee + 1, cents)
