/* run_folder.h: reads the folders of one row, of all seeds. SPDX-License-Identifier: MIT */
#ifndef HARNESS_REPORT_RUN_FOLDER_H
#define HARNESS_REPORT_RUN_FOLDER_H

#include "report/runs.h"

/* Fills r->run from the folders FOLDER/NAME-sSEED; none is no fault. */
bool run_folder_scan(const char *folder, row *r, fault *f);

#endif
