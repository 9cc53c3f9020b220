/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Memory pressure.
 *
 * Layer: L2.
 */
#ifndef _TERN_PRESSURE_H
#define _TERN_PRESSURE_H

int tern_pressure_init(void);
void tern_pressure_exit(void);

#endif /* _TERN_PRESSURE_H */
