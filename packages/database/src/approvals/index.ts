export { approvalsChannel } from './approval.ts';
export type { ApprovalRecord } from './approval.ts';
export { claimApproval, expireApproval } from './claim.ts';
export type { ApprovalClaim, ClaimAnswer } from './claim.ts';
export {
  claimDeferredCall,
  closeLostDeferredCalls,
  createDeferredCall,
  deferredChannel,
  finishDeferredCall,
  purgeDeferredCalls,
  readDeferredCall,
  readDeferredCallForWorker,
  stuckReadyCalls,
  withdrawDeferredCall,
} from './deferred.ts';
export type { DeferredRecord, DeferredResult, DeferredState, NewDeferredCall, SealedBlob } from './deferred.ts';
export { earlierDecisions, listApprovals, overdueApprovals, readApproval, readShown } from './read.ts';
export type { ApprovalFilter } from './read.ts';
export { applyToApproval, closeBreakGlassReview, escalateReviewers, listBreakGlassReviews, readBreakGlassReview, voidApprovals } from './review.ts';
export type { ApprovalChange, BreakGlassRecord } from './review.ts';
