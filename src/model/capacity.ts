/**
 * Sizes that tables of the data plane are built for; the configuration refuses what would not fit.
 */

/** Versions over all services: each has a block in the shared counters. */
export const MAX_VERSIONS = 1_024;

/** Endpoints over all services: each has a row in shared memory. */
export const MAX_ENDPOINTS = 4_096;

/**
 * Rows in shared memory. What goes keeps its row until the next snapshot, so that nobody takes it over while it is in use: when everything is
 * exchanged at once, both are there.
 */
export const VERSION_ROWS = 2 * MAX_VERSIONS;
export const ENDPOINT_ROWS = 2 * MAX_ENDPOINTS;

/** Different header names that routes and services read: each has a number of one byte, shared with the names Sluice knows itself. */
export const MAX_READ_HEADERS = 200;
