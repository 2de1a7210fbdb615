/** UTF-8 bytes of one payload: it sits in Redis and in a Postgres row; larger input is ingested first. */
export const payloadBytesMax = 65_536
/** Jobs in one batch request: one statement, one commit. */
export const batchJobsMax = 1_000
/** UTF-8 bytes of one batch request. */
export const batchBytesMax = 4_194_304
/** A caller's delay: longer plans belong to a schedule. */
export const delayMsMax = 30 * 24 * 3_600_000
/** BullMQ's own ceiling is 2,097,151; a thousand classes are more than anybody can tell apart. */
export const priorityMax = 1_000
/** Unfinished jobs of one subject and kind, so that one caller cannot fill the queue. */
export const unfinishedPerSubjectMax = 100_000
/** Seconds a long poll may wait; the listener cuts idle sockets soon after. */
export const waitSecondsMax = 60
export const tagCharactersMax = 64
export const callbackUrlCharactersMax = 2_048
export const listPageMax = 200
