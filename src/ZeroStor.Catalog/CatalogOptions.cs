namespace ZeroStor.Catalog;

/// <summary>What a catalog may use and how long it waits.</summary>
public sealed record CatalogOptions
{
    /// <summary>How long a caller waits, in the queue and for the database, before it is told Unavailable.
    /// </summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long a transaction waits for another one to end: that of another silo or process, or of
    /// Orleans' own connections. Far below <see cref="Patience"/>, so that whoever queues behind it is still
    /// there.</summary>
    public TimeSpan LockPatience { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How long a transaction may say nothing before the server ends it and frees what it holds: that of
    /// a silo that hangs. No step of ours takes as long between two statements; and it is less than
    /// <see cref="LockPatience"/>, so that who waits for it gets through.</summary>
    public TimeSpan SilencePatience { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>Reads at once. Each has a connection with a cache of its own; more than the machine has cores
    /// gain nothing, for what is read is nearly always in memory.</summary>
    public int Readers { get; init; } = Math.Clamp(Environment.ProcessorCount, 2, 16);

    /// <summary>SQLite only: how large the database may grow, in its own pages; null: as large as the disk. A
    /// test's way to fill it.</summary>
    internal int? MaxPages { get; init; }
}
