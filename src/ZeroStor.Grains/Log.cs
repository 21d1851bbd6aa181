using Microsoft.Extensions.Logging;

namespace ZeroStor.Grains;

/// <summary>Every line that a silo writes, with its number. Numbers are never reused.</summary>
internal static partial class Log
{
    [LoggerMessage(1, LogLevel.Debug, "disk {Disk} is up at {Path}, claim {Claim}, {Shards} shards")]
    public static partial void DiskUp(this ILogger log, DiskId disk, string path, uint claim, long shards);

    [LoggerMessage(2, LogLevel.Debug, "disk {Disk} was made in {Path}")]
    public static partial void DiskMade(this ILogger log, DiskId disk, string path);

    [LoggerMessage(3, LogLevel.Warning, "the folder of disk {Lost} vanished: {Path} was made anew as disk {Disk}, "
        + "which takes its places")]
    public static partial void DiskMadeAnew(this ILogger log, DiskId lost, string path, DiskId disk);

    [LoggerMessage(4, LogLevel.Error, "disk {Disk} is missing: {Why}")]
    public static partial void DiskMissing(this ILogger log, DiskId disk, string why);

    [LoggerMessage(5, LogLevel.Error, "disk {Disk} takes no more shards: {Why}")]
    public static partial void DiskReadOnly(this ILogger log, DiskId disk, string why);

    [LoggerMessage(6, LogLevel.Information, "{Contents} dead contents were dropped from all disks")]
    public static partial void Reclaimed(this ILogger log, int contents);

    [LoggerMessage(7, LogLevel.Warning, "the sweep stopped and goes on next time: {Why}")]
    public static partial void SweepFailed(this ILogger log, string why);

    [LoggerMessage(25, LogLevel.Error, "the sweep broke in a way that nobody foresaw, and goes on next time")]
    public static partial void SweepBroke(this ILogger log, Exception failure);

    [LoggerMessage(8, LogLevel.Warning, "the tick could not be raised: {Why}")]
    public static partial void TickFailed(this ILogger log, string why);

    [LoggerMessage(9, LogLevel.Warning, "compaction of disk {Disk} stopped: {Why}")]
    public static partial void CompactionFailed(this ILogger log, DiskId disk, string why);

    [LoggerMessage(10, LogLevel.Information, "vault {Vault} was made, {Code}")]
    public static partial void VaultMade(this ILogger log, string vault, Code code);

    [LoggerMessage(11, LogLevel.Warning, "vault {Vault} could not be made: {Why}")]
    public static partial void VaultNotMade(this ILogger log, string vault, string why);

    [LoggerMessage(12, LogLevel.Error, "watching the disks failed: {Why}")]
    public static partial void WatchFailed(this ILogger log, string why);

    [LoggerMessage(13, LogLevel.Information, "disk {Disk} came back in {Path}: what it holds counts again")]
    public static partial void DiskReturned(this ILogger log, DiskId disk, string path);

    [LoggerMessage(14, LogLevel.Warning, "{Path} is not taken in: {Why}")]
    public static partial void DiskNotAdopted(this ILogger log, string path, string why);

    [LoggerMessage(17, LogLevel.Error, "scrub found {Bad} rotten shards of {Shards} on disk {Disk}: they are repaired")]
    public static partial void RotFound(this ILogger log, DiskId disk, long bad, long shards);

    [LoggerMessage(16, LogLevel.Information, "{Contents} contents were put and never committed: condemned")]
    public static partial void OrphansFound(this ILogger log, int contents);

    [LoggerMessage(18, LogLevel.Critical, "the catalog went back to tick {Tick}: disks have seen later ones. Nothing is "
        + "reclaimed until zs catalog adopt is said")]
    public static partial void CatalogWentBack(this ILogger log, Tick tick);

    [LoggerMessage(19, LogLevel.Information, "census: {Versions} versions name {Stripes} stripes, of which {Lacking} "
        + "lacked shards and {Lost} are lost; {Garbage} shards were garbage")]
    public static partial void CensusTaken(
        this ILogger log, long versions, long stripes, long lacking, long lost, long garbage);

    [LoggerMessage(20, LogLevel.Warning, "the catalog of tick {Tick} is adopted: {Versions} versions were found on disks "
        + "and entered, {Refused} were not")]
    public static partial void CatalogAdopted(this ILogger log, Tick tick, long versions, long refused);

    [LoggerMessage(21, LogLevel.Debug, "the repair scheduler could not be woken: {Why}")]
    public static partial void SchedulerNotWoken(this ILogger log, string why);

    [LoggerMessage(22, LogLevel.Error, "the catalog does not answer: {Why}")]
    public static partial void CatalogAway(this ILogger log, string why);

    [LoggerMessage(23, LogLevel.Information, "the catalog answers again")]
    public static partial void CatalogBack(this ILogger log);

    [LoggerMessage(24, LogLevel.Warning, "disk {Disk} is removed, and silo {Silo} did not say that it closed it: {Why}")]
    public static partial void DiskNotClosed(this ILogger log, DiskId disk, string silo, string why);

    [LoggerMessage(15, LogLevel.Information, "group {Group} is repaired: {Rebuilt} shards rebuilt, {Copied} copied, "
        + "{Left} left")]
    public static partial void GroupRepaired(
        this ILogger log, GroupId group, long rebuilt, long copied, long left);
}
