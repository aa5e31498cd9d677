export { approvalsChannel, deferredChannel } from './approval.ts';
export type { ApprovalRecord } from './approval.ts';
export { claimApproval, expireApproval, maxPendingApprovals } from './claim.ts';
export type { ApprovalClaim, ClaimAnswer } from './claim.ts';
export type { ClaimOrigin } from './trail.ts';
export {
  claimDeferredCall,
  closeLostDeferredCalls,
  createDeferredCall,
  finishDeferredCall,
  keepDeferredMs,
  maxOpenDeferredCalls,
  purgeDeferredCalls,
  readDeferredCall,
  readDeferredCallForWorker,
  stuckReadyCalls,
  withdrawDeferredCall,
} from './deferred.ts';
export type { DeferredRecord, DeferredResult, DeferredState, NewDeferredCall, SealedBlob } from './deferred.ts';
export { recordLostConsumptions } from './lost-consumptions.ts';
export { purgeApprovals } from './purge-approvals.ts';
export { earlierDecisions, listApprovals, overdueApprovals, overdueEscalations, readApproval, readShown } from './read.ts';
export type { ApprovalFilter } from './read.ts';
export {
  applyToApproval,
  closeBreakGlassReview,
  escalateReviewers,
  listBreakGlassReviews,
  readBreakGlassReview,
  voidApprovals,
} from './review.ts';
export type { ApprovalChange, BreakGlassRecord } from './review.ts';
