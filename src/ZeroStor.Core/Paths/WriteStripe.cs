using System.Collections.Immutable;
using ZeroStor.Placement;
using ZeroStor.Sealing;

namespace ZeroStor.Paths;

/// <summary>A stripe to be made durable.</summary>
public sealed record StripeToWrite
{
    public required VaultId Vault { get; init; }

    public required ContentId Content { get; init; }

    /// <summary>What the stripe is sealed with here; null: see <see cref="Sealed"/>.</summary>
    public ContentKey? Key { get; init; }

    /// <summary>Whether it is compressed before it is sealed here.</summary>
    public Compression Compression { get; init; }

    /// <summary>How its owner sealed the bytes before they came; null: they are content.</summary>
    public OwnSeal? Sealed { get; init; }

    public required ClassId Class { get; init; }

    public required Code Code { get; init; }

    /// <summary>Shards that must be durable before the stripe is acknowledged.</summary>
    public required int WriteFloor { get; init; }

    public required int Ordinal { get; init; }

    /// <summary>The content, or the sealed bytes, in order; every part but the last is a whole number of segments
    /// long. Held by the caller until <see cref="WhenCoded"/>.</summary>
    public required ImmutableArray<ReadOnlyMemory<byte>> Parts { get; init; }

    /// <summary>Called once, when the stripe stands sealed and coded in memory of its own, and nobody reads
    /// <see cref="Parts"/> any more; not where it could not be.</summary>
    public Action? WhenCoded { get; init; }

    /// <summary>The sealed manifest of the commit whose last stripe this is, or empty.</summary>
    public ReadOnlyMemory<byte> SealedManifest { get; init; }
}

/// <summary>How the owner of a vault sealed a stripe.</summary>
/// <param name="Seal">Names the sealing.</param>
/// <param name="ContentBytes">What was sealed.</param>
public sealed record OwnSeal(SealId Seal, int ContentBytes);

/// <summary>How a stripe was written: whole, or short of some homes.</summary>
/// <param name="Stripe">What the manifest will name.</param>
/// <param name="Missing">Homes that took no shard.</param>
public readonly record struct WrittenStripe(StripeRef Stripe, int Missing);

/// <summary>The way of a stripe in: seal, choose a healthy group, code, sum, spread, and wait until every
/// home has synced it. A home that fails or is slow is absent for this stripe: where another healthy group
/// exists the sealed bytes are placed there anew, so that what is acknowledged has full redundancy; where
/// none does the stripe is finished short, never below the vault's write floor, for which it waits <see
/// cref="PutPatience"/>. Thread-safe; holds about 1.3 times the stripe in memory while it runs.</summary>
public sealed class WriteStripe(
    IShardHome homes, IFabricMap map, HomeHealth health, IEntropy entropy, TimeProvider time)
{
    /// <summary>A home gets at least this long: a spinning disk behind a full queue is slow, not
    /// gone.</summary>
    public TimeSpan MinHomeTime { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>And at least this many times the 95th percentile of its peers.</summary>
    private const int SlowerThanPeers = 10;

    /// <summary>How long a stripe below the write floor waits for a home to return or to be made
    /// anew.</summary>
    public TimeSpan PutPatience { get; init; } = TimeSpan.FromSeconds(60);

    internal PlantedDefects Planted { get; init; }

    internal GivenUpPlacings GivenUp { get; } = new(homes, map, time);

    /// <summary>How often a waiting stripe tries again.</summary>
    private static readonly TimeSpan RetryPause = TimeSpan.FromMilliseconds(250);

    /// <exception cref="ZeroStorException">PolicyUnsatisfiable: fewer homes than the write floor took it,
    /// with their names; DiskFull: because they are full.</exception>
    public async Task<WrittenStripe> RunAsync(StripeToWrite stripe, CancellationToken cancel)
    {
        if (map.Current.GroupsOf(stripe.Class).IsEmpty)
        {
            // Another silo made the class a moment ago.
            await map.RefreshAsync(map.Current.Version + 1, cancel);
        }

        StripeId first = StripeId.New(map.Tick, entropy);
        using CodedStripe coded = CodedStripe.Make(stripe, stripe.Sealed?.Seal ?? new SealId(first.Value));
        stripe.WhenCoded?.Invoke();
        long deadline = time.GetTimestamp() + (long)(PutPatience.TotalSeconds * time.TimestampFrequency);
        List<Placing> givenUp = [];
        Placing placing = Choose(stripe, first);
        while (true)
        {
            await SpreadAsync(stripe, coded, placing, cancel);
            if (placing.Missing == 0)
            {
                return Finish(coded, placing, givenUp);
            }

            if (placing.IsStale)
            {
                FabricMap now = await map.RefreshAsync(placing.NewerMap, cancel);
                if (now.Version > placing.MapVersion)
                {
                    givenUp.Add(placing);
                    placing = Choose(stripe, StripeId.New(map.Tick, entropy));
                    continue;
                }

                // Not this map is behind but theirs: trying again at once would never end, and fill the
                // others.
                placing.Stale.ForEach(health.Failed);
            }

            Placing other = Choose(stripe, StripeId.New(map.Tick, entropy));
            if (other.Absent == 0)
            {
                givenUp.Add(placing);
                placing = other;
                continue;
            }

            if (placing.Durable >= stripe.WriteFloor || Planted.HasFlag(PlantedDefects.IgnoresWriteFloor))
            {
                return Finish(coded, placing, givenUp);
            }

            if (time.GetTimestamp() >= deadline)
            {
                throw placing.Unsatisfiable(stripe, map.Current);
            }

            await Task.Delay(RetryPause, time, cancel);
            Placing renewed = Renew(stripe, placing);
            if (renewed != placing)
            {
                givenUp.Add(placing);
                placing = renewed;
            }
        }
    }

    // Where a stripe fails its content dies, and what homes took of it is reclaimed.
    private WrittenStripe Finish(CodedStripe coded, Placing placing, List<Placing> givenUp)
    {
        foreach (Placing other in givenUp)
        {
            GivenUp.Drop(other.Id, other.Holders);
        }

        return placing.Finish(coded);
    }

    private Placing Choose(StripeToWrite stripe, StripeId id)
    {
        FabricMap current = map.Current;
        PlacementGroup group = GroupChoice.Pick(
            current, stripe.Class, disk => IsHealthy(current, disk), health.FreeBytes, entropy, out int absent);
        return new Placing(id, group, absent, current.Version);
    }

    // While it waits a stripe stays where most of its shards already are, unless that group has changed.
    private Placing Renew(StripeToWrite stripe, Placing placing)
    {
        PlacementGroup? now = map.Current.Group(placing.Group.Id);
        return now is null || now.Epoch != placing.Group.Epoch
            ? Choose(stripe, StripeId.New(map.Tick, entropy))
            : placing;
    }

    private bool IsHealthy(FabricMap current, DiskId disk) =>
        current.Disk(disk) is { State: DiskState.Up } && !health.Avoids(disk);

    private async Task SpreadAsync(
        StripeToWrite stripe, CodedStripe coded, Placing placing, CancellationToken cancel)
    {
        FabricMap current = map.Current;
        TimeSpan slow = health.Appends.P95 * SlowerThanPeers;
        using var patience = new CancellationTokenSource(slow > MinHomeTime ? slow : MinHomeTime, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancel);
        // A home that failed a moment ago is asked again only where the stripe cannot stand without it: else
        // each stripe would wait out a hung disk anew.
        bool needsAll = placing.Group.Places.Count(p => IsHealthy(current, p.Home)) < stripe.WriteFloor;
        var sends = new List<Task>(stripe.Code.N);
        for (int place = 0; place < stripe.Code.N; place++)
        {
            bool wanted = needsAll || IsHealthy(current, placing.Group.Places[place].Home);
            if (wanted && !placing.Answers[place].IsDone)
            {
                sends.Add(SendAsync(stripe, coded, placing, current, place, both.Token));
            }
        }

        await Task.WhenAll(sends);
        cancel.ThrowIfCancellationRequested();
    }

    private async Task SendAsync(
        StripeToWrite stripe,
        CodedStripe coded,
        Placing placing,
        FabricMap current,
        int place,
        CancellationToken cancel)
    {
        DiskId disk = placing.Group.Places[place].Home;
        if (current.Disk(disk) is not { State: DiskState.Up } entry)
        {
            placing.Answers[place] = new HomeAnswer(ErrorKind.DiskOffline, "not up in the map");
            return;
        }

        long started = health.Appends.Start();
        try
        {
            ShardAppend order = coded.Order(stripe, placing.Id, placing.Group, place, entry, map.Tick);
            HomeAnswer answer = await homes.AppendAsync(order, cancel).AsTask().WaitAsync(cancel);
            placing.Answers[place] = answer;
            if (answer.IsDone)
            {
                health.Appends.Stop(started);
                health.Worked(disk);
            }
            else if (answer.Kind != ErrorKind.PreconditionFailed)
            {
                health.Failed(disk);
            }
        }
        catch (Exception failure) when (failure is not OutOfMemoryException)
        {
            placing.Answers[place] = new HomeAnswer(
                ErrorKind.DiskOffline, failure is OperationCanceledException ? "no answer in time" : failure.Message);
            health.Failed(disk);
        }
    }

    /// <summary>One try to place the stripe: a name, a group, and what each home answered.</summary>
    private sealed class Placing
    {
        private static readonly HomeAnswer NotAsked = new(ErrorKind.Unavailable, "not asked");

        public Placing(StripeId id, PlacementGroup group, int absent, long mapVersion)
        {
            MapVersion = mapVersion;
            Id = id;
            Group = group;
            Absent = absent;
            Answers = new HomeAnswer[group.Places.Length];
            Array.Fill(Answers, NotAsked);
        }

        public StripeId Id { get; }

        public PlacementGroup Group { get; }

        /// <summary>Homes that were known to be absent when the group was chosen.</summary>
        public int Absent { get; }

        /// <summary>The map that the group was chosen from.</summary>
        public long MapVersion { get; }

        public HomeAnswer[] Answers { get; }

        public int Durable => Answers.Count(a => a.IsDone);

        public int Missing => Answers.Length - Durable;

        public bool IsStale => Answers.Any(a => a.Kind == ErrorKind.PreconditionFailed);

        public List<DiskId> Stale =>
        [
            .. Answers.Index()
                .Where(a => a.Item.Kind == ErrorKind.PreconditionFailed)
                .Select(a => Group.Places[a.Index].Home),
        ];

        public long NewerMap =>
            Answers.Where(a => a.Kind == ErrorKind.PreconditionFailed).Max(a => a.MapVersion);

        /// <summary>Who took a shard, or may have: whose answer was lost, or did not come in time.</summary>
        public IEnumerable<(DiskId Disk, int Place)> Holders => Answers.Index()
            .Where(a => a.Item.Kind is ErrorKind.None or ErrorKind.DiskOffline)
            .Select(a => (Group.Places[a.Index].Home, a.Index));

        public WrittenStripe Finish(CodedStripe coded) =>
            new(
                new StripeRef(
                    Id, Group.Id, coded.Seal, coded.ContentBytes, coded.SealedBytes, coded.SumsDigest),
                Missing);

        public ZeroStorException Unsatisfiable(StripeToWrite stripe, FabricMap map)
        {
            IEnumerable<string> absent = Answers.Index()
                .Where(a => !a.Item.IsDone)
                .Select(a => $"disk {Group.Places[a.Index].Home} "
                    + $"({map.Disk(Group.Places[a.Index].Home)?.Path}: {a.Item.Detail})");
            bool allFull = Answers.All(a => a.IsDone || a.Kind == ErrorKind.DiskFull);
            return new ZeroStorException(
                allFull ? ErrorKind.DiskFull : ErrorKind.PolicyUnsatisfiable,
                $"only {Durable} of {Answers.Length} homes took a stripe and {stripe.Code} is acknowledged from "
                + $"{stripe.WriteFloor}: {(allFull ? "make room on" : "bring back")} {string.Join(", ", absent)}");
        }
    }
}
