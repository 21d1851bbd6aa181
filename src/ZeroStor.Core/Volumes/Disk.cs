using System.Collections.Immutable;

namespace ZeroStor.Volumes;

/// <summary>One disk: a folder on one mount, owned by this process while it is open. It keeps shards in
/// append-only volumes and answers only for what is synced. Operating outcomes are answers; exceptions are
/// for calls that make no sense, for cancelled ones and for folders that cannot be opened. Thread-safe, but
/// for closing, which its owner does once.</summary>
public sealed class Disk : IAsyncDisposable
{
    // One delete or drop item is laid into one batch; this many records are about a megabyte.
    private const int NamesPerDelete = 4096;

    // A device that hangs must not keep a silo from ending; what it holds goes with the process.
    private static readonly TimeSpan CloseTimeout = TimeSpan.FromSeconds(30);

    private readonly IDiskFiles _files;
    private readonly TimeProvider _time;
    private readonly DiskHealth _health;
    private readonly DiskContents _contents;
    private readonly SuperblockFile _superblock;
    private readonly DiskWriter _writer;
    private readonly DiskReader _reader;
    private readonly DiskCompaction _compaction;
    private readonly DiskScrub _scrub;
    private readonly BufferPool _pool;
    private readonly int _inPlaceBytes;
    private readonly IDisposable _lock;
    private readonly SemaphoreSlim _compacting = new(1);
    private bool _isClosed;

    private Disk(
        IDiskFiles files,
        string path,
        DiskOptions options,
        IEntropy entropy,
        TimeProvider time,
        BufferPool pool,
        IDisposable heldLock,
        SuperblockFile superblock,
        DiskReplay replay)
    {
        Id = superblock.Current.Disk;
        Fabric = superblock.Current.Fabric;
        Path = path;
        _files = files;
        _time = time;
        _pool = pool;
        _inPlaceBytes = options.InPlaceBytes;
        _lock = heldLock;
        _superblock = superblock;
        _contents = replay.Contents;
        _health = new DiskHealth(Id);
        _reader = new DiskReader(Id, options, _contents, _health, pool);
        var scrubReader = new ScrubReader(_contents, _health, _reader, pool);
        _scrub = new DiskScrub(Id, options, _contents, scrubReader, superblock.Current.Scrub);
        _writer = new DiskWriter(
            files,
            path,
            options,
            superblock,
            _contents,
            _health,
            entropy,
            time,
            pool,
            replay.Active,
            replay.LastVolume,
            () => _scrub.Kept);
        _compaction = new DiskCompaction(files, path, options, _contents, _health, _writer.Queue, pool);
    }

    public DiskId Id { get; }

    public FabricId Fabric { get; }

    public string Path { get; }

    /// <summary>The claim that the disk is held under; orders that name another are not for it.</summary>
    public uint Claim => _superblock.Current.Claim;

    /// <summary>The highest tick in any record or superblock the disk ever had.</summary>
    public Tick HighestTick => _contents.HighestTick;

    public DiskState State => _health.State;

    /// <summary>What waits for the writer, or is being written.</summary>
    public (int Items, long Bytes) Queued => _writer.Queue.Depth;

    /// <summary>Whether something waits until what is being written is durable, as deletes do.</summary>
    internal bool IsSettling => _writer.Queue.IsAwaited;

    /// <summary>Whether a batch is laid that is written as soon as the one before it is durable.</summary>
    internal bool HasLaid => _writer.Queue.HasLaid;

    /// <summary>How far the scrub that runs has come; between scrubs, how far the last one came.</summary>
    public ScrubTally ScrubProgress => _scrub.Progress;

    /// <summary>Where the background's pass stands.</summary>
    public ScrubPass ScrubPass => _scrub.Pass;

    /// <summary>Damaged records met since the disk was opened, whoever met them: scrub, a read, or
    /// repair.</summary>
    public long BadRecords => _contents.BadRecords;

    /// <summary>Why the disk takes no shards; null while it takes them.</summary>
    public string? Refusal => _health.RefusesWrites?.Detail;

    /// <summary>Makes a disk of a folder, which is created if it is missing and must be empty otherwise.
    /// Durable when it returns; what a crash left of an earlier attempt is no hindrance.</summary>
    /// <exception cref="ZeroStorException">AlreadyExists: the folder is a disk. Corrupt: it holds something
    /// else. DiskFull, DiskFailed: the file system refuses.</exception>
    public static void Format(string path, FabricId fabric, DiskId id, IEntropy entropy) =>
        DiskFolder.Format(OsFile.Files, path, fabric, id, entropy);

    /// <summary>Whose disk a folder is; null when there is no folder or nothing in it.</summary>
    /// <exception cref="ZeroStorException">Corrupt: something else is in it, or its superblocks are damaged.
    /// </exception>
    public static Superblock? Peek(string path) => DiskFolder.Peek(OsFile.Files, path);

    /// <summary>Opens a disk: locks the folder, replays the volumes and starts the writer.</summary>
    /// <exception cref="ZeroStorException">Busy: it is open already. NotFound: the folder is no disk.
    /// Corrupt: its superblocks are damaged, or of a later format. DiskFailed: the file system
    /// refuses.</exception>
    public static Disk Open(string path, DiskOptions options, IEntropy entropy, TimeProvider time) =>
        Open(path, options, entropy, time, OsFile.Files, BufferPool.Shared);

    internal static Disk Open(
        string path,
        DiskOptions options,
        IEntropy entropy,
        TimeProvider time,
        IDiskFiles files,
        BufferPool pool)
    {
        if (DiskFolder.Peek(files, path) is null)
        {
            throw ZeroStorException.NotFound($"{path} is no disk: format it first.");
        }

        IDisposable? held = null;
        SuperblockFile? superblock = null;
        try
        {
            held = DiskFolder.Lock(files, path);
            superblock = SuperblockFile.Open(files, path, FileUse.ReadWrite);
            var replay = DiskReplay.Run(files, path, superblock, options);
            return new Disk(files, path, options, entropy, time, pool, held, superblock, replay);
        }
        catch (Exception e)
        {
            superblock?.Dispose();
            held?.Dispose();
            if (e is OsException failure)
            {
                throw Failed(path, failure);
            }

            throw;
        }
    }

    /// <summary>Asks whether this folder is the disk that the map means, and notes durably which claim is
    /// about to be taken. The owner calls it with the claim c that the map shows, then raises the map from c
    /// to the claim returned (c+1) by compare-and-set, then calls <see cref="TakeClaim"/> with that.
    /// <para>The superblock must show claim c; or the note that c was about to be taken, which is what a
    /// crash between the map's compare-and-set and <see cref="TakeClaim"/> leaves. Nothing else can show that
    /// note: it names a claim above the one held, is written only here, and goes when the claim is taken. A
    /// copy of the folder made earlier shows an older claim and no note of c, and is refused; of two copies
    /// of one state, whichever raises the map first wins, and the other shows an old claim from then
    /// on.</para>
    /// <para>A map that went back shows fewer claims than it granted, and a superblock above it is no sign of
    /// anything wrong with the disk. Who knows that it went back says so: then a claim above c is accepted,
    /// and what is noted and returned is above every claim that this folder held or noted and that the map
    /// shows. The claim held stays until the new one is taken. A crash before the map is raised leaves what
    /// was, and the next opening, told the same, notes the next number. A crash after it leaves a map that
    /// shows a number noted since the claim was taken; not the last one, where the disk was opened again
    /// while the compare-and-set was still under way. So a note stands for every claim above the one held, up
    /// to its own: in order it is just one. A folder that shows less than c is a copy as ever. But a copy
    /// that is no older than the map cannot be told from the disk by claims, for the map forgot; whichever
    /// raised it last is the one that orders reach.</para></summary>
    /// <returns>The claim to be granted: the caller raises the map to exactly this.</returns>
    /// <exception cref="ZeroStorException">PreconditionFailed: the folder is a copy, or the map went back.
    /// DiskFailed: the note could not be written.</exception>
    public uint DemandClaim(uint claimInMap, bool mapWentBack = false)
    {
        Superblock shown = _superblock.Current;
        bool isMeant = claimInMap == shown.Claim
            || (claimInMap > shown.Claim && claimInMap <= shown.PendingClaim)
            || (mapWentBack && claimInMap < shown.Claim);
        if (!isMeant)
        {
            throw new ZeroStorException(
                ErrorKind.PreconditionFailed,
                shown.Claim < claimInMap
                    ? $"{Path} is a copy of disk {Id} as of claim {shown.Claim}, and the fabric gave claim "
                        + $"{claimInMap} to another copy since: use that one, or empty this folder."
                    : $"{Path} holds disk {Id} under claim {shown.Claim}, and the map knows only claim "
                        + $"{claimInMap}: the catalog went back, so see to that before the disk is used.");
        }

        uint held = Math.Max(shown.Claim, claimInMap);
        uint granted = checked((mapWentBack ? Math.Max(held, shown.PendingClaim) : held) + 1);
        UpdateSuperblock(s => s with { Claim = held, PendingClaim = granted });
        return granted;
    }

    /// <summary>Holds the disk under the claim that the map granted; durable when it returns.</summary>
    /// <exception cref="ZeroStorException">PreconditionFailed: <see cref="DemandClaim"/> did not note this
    /// claim. DiskFailed: it could not be written.</exception>
    public void TakeClaim(uint claim)
    {
        if (_superblock.Current.PendingClaim != claim)
        {
            throw new ZeroStorException(
                ErrorKind.PreconditionFailed,
                $"Disk {Id} was not about to take claim {claim}: demand the claim before taking it.");
        }

        UpdateSuperblock(s => s with { Claim = claim, PendingClaim = 0 });
    }

    /// <summary>Stores a shard; done means synced. The same shard once more is done without being stored
    /// again. The payload is held until the writer is done with it, beyond a cancelled call too.</summary>
    /// <returns>Done; Corrupt: the payload does not match the header, or another payload has this name; Busy,
    /// DiskFull, DiskFailed, DiskOffline.</returns>
    public ValueTask<HomeAnswer> AppendAsync(
        ShardHeader header,
        ImmutableArray<RecordExtension> extensions,
        BufferSlice payload,
        CancellationToken cancel)
    {
        ImmutableArray<RecordExtension> given = extensions.IsDefault ? [] : extensions;
        long recordBytes = RecordFormat.HeaderBytes + (long)RecordFormat.ExtensionBytes(given) + payload.Length;
        if (recordBytes > RecordFormat.MaxRecordBytes - RecordFormat.BlockBytes - RecordFormat.AlignmentBytes)
        {
            throw ZeroStorException.Invalid(
                $"A record of {recordBytes} bytes is beyond the {RecordFormat.MaxRecordBytes} that a volume "
                + "takes.");
        }

        if (cancel.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<HomeAnswer>(cancel);
        }

        if (_health.RefusesWrites is { } refusal)
        {
            return new(refusal);
        }

        if (payload.Length != header.ShardBytes || Sum128.Of(payload.Span) != header.ShardSum)
        {
            return new(new HomeAnswer(
                ErrorKind.Corrupt,
                $"What came to disk {Id} as place {header.Place} of stripe {header.Stripe} does not match its "
                + "sum: send it again."));
        }

        var item = AppendItem.Make(new ShardAppendParts(header, given, payload), _pool, _inPlaceBytes, cancel);
        return new(_writer.Queue.Append(item).WaitAsync(cancel));
    }

    /// <summary>Reads a shard or a range of it. A whole shard is checked against its sum, a range is not;
    /// length 0 asks for header and extensions alone. The caller releases the payload.</summary>
    /// <returns>Done; NotFound; Corrupt; InvalidArgument: beyond the shard's end; Busy;
    /// DiskOffline.</returns>
    public ValueTask<ShardReadAnswer> ReadAsync(
        StripeId stripe, byte place, int offset, int length, bool withExtensions, CancellationToken cancel) =>
        _reader.ReadAsync(stripe, place, offset, length, withExtensions, cancel);

    /// <summary>Drops every shard of these contents; done means that the dropping is synced. Contents that
    /// the disk holds nothing of cost nothing. Passes over the footers of all volumes for each 4,096
    /// contents, and once more over those where something is found, so ask for many at once.</summary>
    public async ValueTask<HomeAnswer> ReclaimAsync(
        IReadOnlyCollection<ContentId> dead, CancellationToken cancel)
    {
        if (_health.RefusesWrites is { } refusal)
        {
            return refusal;
        }

        foreach (ContentId[] chunk in dead.Chunk(NamesPerDelete))
        {
            HomeAnswer answer = await _writer.Queue.Ask(new DeleteItem([.. chunk], cancel)).WaitAsync(cancel);
            if (!answer.IsDone)
            {
                return answer;
            }
        }

        return HomeAnswer.Done;
    }

    /// <summary>Drops single shards and nothing else of their stripes or contents; done means that the
    /// dropping is synced. Those that are not here cost nothing. A shard of the same name that is appended
    /// afterwards counts again.</summary>
    public ValueTask<HomeAnswer> DropAsync(IReadOnlyCollection<ShardName> shards, CancellationToken cancel) =>
        DropAsync(shards, () => null, cancel);

    /// <param name="shards">The shards.</param>
    /// <param name="refuses">Asked when nothing can come between its word and the dropping any more: what it
    /// answers is the answer, and null drops. Called by the writer, so it must not wait.</param>
    /// <param name="cancel">Ends the waiting; what was not laid yet is not dropped.</param>
    internal async ValueTask<HomeAnswer> DropAsync(
        IReadOnlyCollection<ShardName> shards, Func<HomeAnswer?> refuses, CancellationToken cancel)
    {
        if (_health.RefusesWrites is { } refusal)
        {
            return refusal;
        }

        foreach (ShardName[] chunk in shards.Chunk(NamesPerDelete))
        {
            HomeAnswer answer =
                await _writer.Queue.Ask(new DropItem([.. chunk], refuses, cancel)).WaitAsync(cancel);
            if (!answer.IsDone)
            {
                return answer;
            }
        }

        return HomeAnswer.Done;
    }

    /// <summary>The disk has seen this tick: done means that it says so however it ends. A tick that is not
    /// above the highest one seen costs nothing.</summary>
    public async ValueTask<HomeAnswer> NoteTickAsync(Tick tick, CancellationToken cancel)
    {
        if (_health.RefusesWrites is { } refusal)
        {
            return refusal;
        }

        return tick <= HighestTick
            ? HomeAnswer.Done
            : await _writer.Queue.Ask(new MarkItem(tick)).WaitAsync(cancel);
    }

    /// <summary>One digest for each group and bucket that the disk holds shards of, in order.</summary>
    /// <exception cref="ZeroStorException">DiskOffline.</exception>
    public ImmutableArray<BucketDigest> Digests()
    {
        DemandPresent();
        return _contents.Digests();
    }

    /// <summary>The first shards of a group behind a stripe, by StripeId. Of the last stripe all places that
    /// are here are told, beyond <paramref name="max"/> if need be. Costs a block read of each volume that
    /// holds the group, and what is told.</summary>
    /// <exception cref="ZeroStorException">DiskOffline.</exception>
    public ImmutableArray<ShardEntry> List(GroupId group, StripeId after, int max)
    {
        DemandPresent();
        ImmutableArray<ShardEntry> page = _contents.List(group, after, max);
        DemandPresent();
        return page;
    }

    /// <summary>What the disk holds of these contents: the first shards behind a stripe, in pages as those of
    /// <see cref="List"/>. Passes over the footers of all volumes, so ask for many contents at once.
    /// </summary>
    /// <exception cref="ZeroStorException">DiskOffline.</exception>
    public ImmutableArray<ShardEntry> Held(IReadOnlyCollection<ContentId> contents, StripeId after, int max)
    {
        DemandPresent();
        ImmutableArray<ShardEntry> page = _contents.Held([.. contents], after, max);
        DemandPresent();
        return page;
    }

    /// <summary>The places of groups of which shards are here, damaged ones among them: those that the disk
    /// was a home of, whatever a map says that went back.</summary>
    /// <exception cref="ZeroStorException">DiskOffline.</exception>
    public ImmutableArray<(GroupId Group, byte Place)> Places()
    {
        DemandPresent();
        return _contents.Places();
    }

    /// <summary>Where a shard's payload lies, relative to <see cref="Path"/>; null where it is not.</summary>
    /// <exception cref="ZeroStorException">DiskOffline.</exception>
    public ShardLocation? Locate(StripeId stripe, byte place)
    {
        DemandPresent();
        return _reader.Locate(stripe, place);
    }

    public DiskReport Report()
    {
        (long liveBytes, long shards) = _contents.Totals();
        return new DiskReport
        {
            Disk = Id,
            State = State,
            LiveBytes = liveBytes,
            UsedBytes = Superblock.FileBytes + _contents.Volumes().Sum(v => v.FileBytes),
            FreeBytes = FreeBytes(),
            Shards = shards,
            HighestTick = HighestTick,
        };
    }

    /// <summary>Gives back the room of what died, where that is due; cheap where nothing is. One runs at a
    /// time; a second call meanwhile does nothing.</summary>
    public async ValueTask CompactAsync(CancellationToken cancel)
    {
        if (_health.RefusesWrites is not null || !await _compacting.WaitAsync(TimeSpan.Zero, cancel))
        {
            return;
        }

        try
        {
            await _compaction.RunAsync(cancel);
        }
        finally
        {
            _compacting.Release();
        }
    }

    /// <summary>Reads again every shard that the disk holds now, in the order in which they lie, and checks
    /// each byte of header, extensions and payload. What is damaged is marked as a read would mark it: it
    /// leaves digests and lists, so that repair writes it anew. Appends, reads, reclaims and compaction go on
    /// meanwhile.
    /// </summary>
    /// <param name="pace">Bytes read a second; callers that share it are held to it together.</param>
    /// <exception cref="ZeroStorException">Busy: one runs already. DiskOffline: the disk is gone or was
    /// closed.
    /// </exception>
    public async Task<ScrubTally> ScrubAsync(Throttle pace, CancellationToken cancel)
    {
        DemandPresent();
        return await _scrub.RunAsync(pace, cancel);
    }

    /// <summary>Goes on with the pass of the background, as <see cref="ScrubAsync"/> reads, but only as far
    /// as is due by now when all of the disk is read once a period; by the ticks that the disk has seen.
    /// Where it stands is written whenever the superblock is, so that it goes on there when the disk is
    /// opened again. Called now and then.</summary>
    /// <param name="pace">As there; what is overdue goes no faster either.</param>
    /// <param name="periodTicks">0: all is due at once.</param>
    /// <param name="cancel">Ends the part, not the pass.</param>
    /// <exception cref="ZeroStorException">As there.</exception>
    public async Task<ScrubPart> ScrubOnAsync(Throttle pace, uint periodTicks, CancellationToken cancel)
    {
        DemandPresent();
        return await _scrub.GoOnAsync(pace, periodTicks, cancel);
    }

    /// <summary>Whether the path still leads to this disk. Once it does not, every answer is DiskOffline,
    /// whatever comes back under the name.</summary>
    public bool CheckFolder()
    {
        if (_health.RefusesAll is not null)
        {
            return false;
        }

        try
        {
            FileIdentity? named = _files.Identify(DiskFolder.SuperblockPath(Path));
            if (named is { } found && found.IsSameFile(_superblock.Identity))
            {
                return true;
            }

            _health.Vanish($"{Path} does not lead to it any more");
        }
        catch (OsException e)
        {
            _health.Vanish(e.Message);
        }

        return false;
    }

    /// <summary>Writes what was queued, trims, marks the superblock clean and lets go of the
    /// folder.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_isClosed)
        {
            return;
        }

        _isClosed = true;
        try
        {
            await _writer.CloseAsync().WaitAsync(CloseTimeout, _time);
            await _compacting.WaitAsync().WaitAsync(CloseTimeout, _time);
            await _scrub.DisposeAsync().AsTask().WaitAsync(CloseTimeout, _time);
            Release();
        }
        catch (TimeoutException)
        {
            _health.Close();
        }
    }

    /// <summary>Lets go as a killed process would: no trimming, no mark, nothing more written.</summary>
    internal void Abandon()
    {
        if (_isClosed)
        {
            return;
        }

        _isClosed = true;
        _writer.AbandonAsync().Wait();
        _compacting.Wait();
        _scrub.DisposeAsync().AsTask().Wait();
        Release();
    }

    /// <summary>What the index of shards takes in memory.</summary>
    internal long IndexBytes => _contents.MemoryBytes;

    /// <summary>Repeats the durable length in the superblock now.</summary>
    internal Task<HomeAnswer> MarkAsync() => _writer.Queue.Ask(new MarkItem());

    private static ZeroStorException Failed(string path, OsException failure) => new(
        ErrorKind.DiskFailed,
        $"The disk in {path} cannot be used, because {failure.Message}: see to the file system.",
        failure);

    private void Release()
    {
        _health.Close();
        foreach (Volume volume in _contents.Volumes())
        {
            volume.Unpin();
        }

        _superblock.Dispose();
        _lock.Dispose();
    }

    private void UpdateSuperblock(Func<Superblock, Superblock> change)
    {
        try
        {
            _superblock.Update(change);
        }
        catch (OsException e)
        {
            _health.FailWrites(e);
            throw Failed(Path, e);
        }
    }

    private void DemandPresent()
    {
        if (_health.RefusesAll is { } refusal)
        {
            throw new ZeroStorException(refusal.Kind, refusal.Detail);
        }
    }

    private long FreeBytes()
    {
        try
        {
            return _health.RefusesAll is null ? _files.FreeBytes(Path) : 0;
        }
        catch (OsException)
        {
            return 0;
        }
    }
}
