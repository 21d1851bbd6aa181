using ZeroStor.Tests.Volumes;
using ZeroStor.Volumes;

namespace ZeroStor.Tests.Proofs;

/// <summary>One call among those that a disk makes of its files, which fails.</summary>
internal sealed class OneFault(int errno, bool isShort)
{
    private int _calls;
    private int _changes;

    internal required int Nth { get; init; }

    internal FileCall? Hit { get; private set; }

    internal string Path { get; private set; } = "";

    internal bool IsMet => Hit is not null;

    internal bool IsNoSpace => errno == OsFile.NoSpace;

    /// <summary>What the answers may be.</summary>
    internal ErrorKind[] Refusals => IsNoSpace
        ? [ErrorKind.DiskFull, ErrorKind.DiskFailed]
        : [ErrorKind.DiskFailed];

    /// <summary>Nothing was to make room for, or the device broke its word.</summary>
    internal bool MustEndWriting =>
        Hit is FileCall.Sync or FileCall.Truncate or FileCall.Unlink
        || (!IsNoSpace && Hit is not (null or FileCall.Read));

    /// <summary>A volume could not be made or grown.</summary>
    internal bool IsFull => IsNoSpace
        && Hit is FileCall.Write or FileCall.Open
        && Path.EndsWith(".vol", StringComparison.Ordinal);

    /// <summary>Calls so far that change something.</summary>
    internal int Changes => Volatile.Read(ref _changes);

    /// <summary>Whether calls are counted.</summary>
    internal bool IsArmed { get; set; }

    internal IDiskFiles Before(IDiskFiles real) =>
        new FaultyFiles(real) { CutsFailedWrites = isShort, Before = Meet };

    private int Meet(FileCall call, string path)
    {
        bool isChange = call is not (FileCall.Read or FileCall.Look);
        if (isChange)
        {
            Interlocked.Increment(ref _changes);
        }

        // Who only reads is never told that there is no room.
        if (!IsArmed || (IsNoSpace && !isChange) || Interlocked.Increment(ref _calls) != Nth)
        {
            return 0;
        }

        (Hit, Path) = (call, path);
        return errno;
    }

    public override string ToString() =>
        $"call {Nth} ({Hit}) fails with {errno}{(isShort ? ", half" : "")}";
}
