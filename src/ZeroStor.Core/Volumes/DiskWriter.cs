namespace ZeroStor.Volumes;

/// <summary>The one writer of a disk: it takes what waits in the queue, lays it together into a batch and
/// has that committed. It also seals volumes, makes new ones and repeats the durable length in the
/// superblock. Two threads take turns: while one commits a batch, the other answers for the one before where that is much
/// to do, lays the next where that is, and writes it where it is as large; whichever is awake then goes on. Appends alone
/// are laid ahead so; whatever else looks at the disk, or changes it, waits until nothing is being written. The contents
/// of the disk change by who has the turn to lay alone. Whatever goes wrong ends the disk's writing, never the process.
/// </summary>
internal sealed class DiskWriter
{
    // Nobody waits for it any more.
    private static readonly HomeAnswer Cancelled = new(ErrorKind.Busy, "The call was cancelled.");

    // One lays while the other commits; a third would find nothing to do.
    private const int Threads = 2;

    private readonly IDiskFiles _files;
    private readonly string _folder;
    private readonly DiskOptions _options;
    private readonly SuperblockFile _superblock;
    private readonly DiskContents _contents;
    private readonly DiskHealth _health;
    private readonly IEntropy _entropy;
    private readonly BufferPool _pool;
    private readonly Func<ScrubStand> _scrub;
    private readonly BatchCommit _commit;
    private readonly ITimer _markTimer;
    private readonly Queue<WriteItem> _items = new();
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool _isAbandoned;
    private volatile bool _isUnmarked;
    private readonly long _reserveBytes;
    private int _threads = Threads;

    // Of the thread that has the turn to lay.
    private Volume? _active;
    private uint _lastVolume;
    private long _freeBytes;
    private WriteBatch? _open;

    // Handed over and not answered yet, in their order: two may be under way.
    private readonly List<WriteBatch> _before = [];

    /// <param name="active">The volume to go on in; null to begin a new one with the first record.</param>
    /// <param name="lastVolume">The highest number that any volume of the disk ever had.</param>
    /// <param name="scrub">Where the scrub stands, for the superblock.</param>
    internal DiskWriter(
        IDiskFiles files,
        string folder,
        DiskOptions options,
        SuperblockFile superblock,
        DiskContents contents,
        DiskHealth health,
        IEntropy entropy,
        TimeProvider time,
        BufferPool pool,
        Volume? active,
        uint lastVolume,
        Func<ScrubStand> scrub)
    {
        _files = files;
        _folder = folder;
        _options = options;
        _superblock = superblock;
        _contents = contents;
        _health = health;
        _entropy = entropy;
        _pool = pool;
        _active = active;
        _lastVolume = lastVolume;
        _scrub = scrub;
        _reserveBytes = Math.Max(
            2L * options.GrowBytes, files.TotalBytes(folder) / 100 * options.ReservePercent);
        DiskId disk = superblock.Current.Disk;
        Queue = new WriteQueue(disk, options);
        _commit = new BatchCommit(files, folder, options, superblock, contents, health, Queue, time);
        _markTimer = time.CreateTimer(_ => AskForMark(), null, options.MarkPeriod, options.MarkPeriod);
        for (int i = 0; i < Threads; i++)
        {
            new Thread(Run) { IsBackground = true, Name = $"disk {disk} writer" }.Start();
        }
    }

    internal WriteQueue Queue { get; }

    /// <summary>Writes what waits, trims the active volume and marks the superblock clean.</summary>
    internal Task CloseAsync()
    {
        Queue.Close(dropsWaiting: false);
        return _ended.Task;
    }

    /// <summary>Ends like a killed process: without trimming, marks, or what still waits.</summary>
    internal Task AbandonAsync()
    {
        _isAbandoned = true;
        Queue.Close(dropsWaiting: true);
        return _ended.Task;
    }

    private void AskForMark()
    {
        if (_isUnmarked)
        {
            Queue.AskForMark();
        }
    }

    private void Run()
    {
        bool hasTurn = false;
        while (Queue.Take(_items, hasTurn, out bool mayWrite, out bool isMarkDue))
        {
            hasTurn = LayNext(mayWrite, isMarkDue) is not { } batch || _commit.Run(batch);
        }

        if (Interlocked.Decrement(ref _threads) > 0)
        {
            return;
        }

        _markTimer.Dispose();
        if (!_isAbandoned)
        {
            Guard(CloseInOrder);
        }

        _ended.SetResult();
    }

    // The batch that is being written from now on; null when more may join it, or there is none.
    private WriteBatch? LayNext(bool mayWrite, bool isMarkDue)
    {
        if (isMarkDue)
        {
            Settle();
            Guard(() => Mark(isClean: false));
        }

        bool isAside = mayWrite && _before is [{ } before] && before.Items.Count >= _options.AnswerAsideCount;
        if (!isAside || Queue.HasFailed)
        {
            AnswerWritten();
        }

        bool isFull = LayItems();
        if ((isFull || mayWrite) && HandOver() is { } batch)
        {
            return batch;
        }

        if (_open is null)
        {
            AnswerWritten();
        }

        Queue.Leave(_open?.Bytes ?? 0, _items.Count > 0);
        return null;
    }

    // Lays what was taken; true when no more may join the batch.
    private bool LayItems()
    {
        while (_items.TryPeek(out WriteItem? item))
        {
            if (_open is not null && (_open.End >= _options.VolumeBytes || item is SealItem or MarkItem))
            {
                return true;
            }

            Lay(_items.Dequeue());
        }

        return _open?.Bytes >= _options.BatchBytes;
    }

    // What was written before may still be synced, and answered, while this is written.
    private WriteBatch? HandOver()
    {
        Queue.AwaitWritten();
        if (Queue.HasFailed)
        {
            AnswerWritten();
        }

        if (_open is not { } batch)
        {
            return null;
        }

        batch.Bound(_options);
        _before.Add(batch);
        (_open, _isUnmarked) = (null, true);
        Queue.BeginWriting(hasLeft: _items.Count > 0);
        return batch;
    }

    // The last that was handed over, as long as the contents do not know of it.
    private WriteBatch? Before => _before.Count > 0 ? _before[^1] : null;

    // Whether what the contents do not know yet has something to say of this shard.
    private bool IsBeingWritten(ShardHeader shard)
    {
        foreach (WriteBatch before in _before)
        {
            if (before.FindShard(shard.Name) is not null || before.Deletes(shard.Name, shard.Content))
            {
                return true;
            }
        }

        return false;
    }

    // Waits until nothing is being written, and the contents know of all that was.
    private void Settle()
    {
        Queue.AwaitSynced();
        AnswerWritten();
    }

    // Lets the contents know of what was written, and answers for it. If that failed, or found no room, what was laid
    // behind it has no place.
    private void AnswerWritten()
    {
        while (Queue.TryTakeWritten(out WrittenBatch written))
        {
            _before.Remove(written.Batch);
            Answer(written.Batch, written.Answer.IsDone ? Apply(written.Batch) : written.Answer);
        }
    }

    private HomeAnswer Apply(WriteBatch batch)
    {
        try
        {
            batch.Apply(_contents);
            return HomeAnswer.Done;
        }
#pragma warning disable CA1031 // An unforeseen failure, too, ends the disk's writing and answers who waits.
        catch (Exception e)
#pragma warning restore CA1031
        {
            return _health.Refuse(e);
        }
    }

    private void Answer(WriteBatch batch, HomeAnswer answer)
    {
        Queue.Finish(batch.Items, answer);
        if (!answer.IsDone && _open is { } behind)
        {
            _open = null;
            behind.Release();
            Queue.Finish(behind.Items, _health.RefusesWrites ?? _health.Full());
        }
    }

    // Puts an item into the batch, or answers it.
    private void Lay(WriteItem item)
    {
        HomeAnswer? answer;
        try
        {
            answer = _health.RefusesWrites
                ?? (item.IsCancelled ? Cancelled
                    : item is AppendItem append && !IsBeingWritten(append.Shard) ? LayShard(append)
                    : LaySettled(item));
        }
#pragma warning disable CA1031 // An unforeseen failure, too, ends the disk's writing and answers who waits.
        catch (Exception e)
#pragma warning restore CA1031
        {
            answer = _health.Refuse(e);
        }

        if (answer is null)
        {
            _open!.Items.Add(item);
        }
        else
        {
            Queue.Finish(item, answer);
        }
    }

    private HomeAnswer? LaySettled(WriteItem item)
    {
        Settle();
        return _health.RefusesWrites ?? item switch
        {
            AppendItem append => LayShard(append),
            DeleteItem delete => LayDelete(delete),
            DropItem drop => drop.Refuses() ?? LayDrop(drop),
            CopyItem copy => LayCopy(copy),
            SealItem => SealWhatIsDue(),
            MarkItem mark => Mark(isClean: false, mark.Seen),
            _ => throw new InvalidOperationException($"The writer knows no {item.GetType().Name}."),
        };
    }

    private HomeAnswer? LayShard(AppendItem item)
    {
        ShardHeader shard = item.Shard;
        if (_open?.FindShard(shard.Name) is { } twin)
        {
            // Joins the batch without a record: done when the twin is durable.
            return twin.ShardSum == shard.ShardSum ? null : OtherSum(shard);
        }

        bool isDying = _open is not null && _open.Deletes(shard.Name, shard.Content);
        if (!isDying && StoredSum(shard) is { } stored)
        {
            return stored == shard.ShardSum ? HomeAnswer.Done : OtherSum(shard);
        }

        if (MakeRoom(item.RecordBytes, isAppend: true) is { } full)
        {
            return full;
        }

        _open!.AddShard(item);
        return null;
    }

    private static HomeAnswer OtherSum(ShardHeader shard) => new(
        ErrorKind.Corrupt,
        $"Place {shard.Place} of stripe {shard.Stripe} is stored with other bytes than those sent: place the "
        + "stripe under a new id.");

    // The sum that the record in the volume states, read from the disk: a damaged record is no reason to
    // refuse the good one that comes to replace it.
    private Sum128? StoredSum(ShardHeader shard)
    {
        if (!_contents.TryPin(shard.Name, out HeldShard slot, out Volume volume))
        {
            return null;
        }

        try
        {
            if (slot.IsBad)
            {
                return null;
            }

            Span<byte> bytes = stackalloc byte[RecordFormat.MaxHeaderBytes];
            int read = volume.File.Read(bytes, slot.Position.Offset);
            if (RecordFormat.TryRead(bytes[..read], volume.Generation, slot.Position, out RecordHeader header)
                && header.Shard == shard.Name)
            {
                return header.PayloadSum;
            }
        }
        catch (OsException)
        {
            // Unreadable is as good as damaged.
        }
        finally
        {
            volume.Unpin();
        }

        _contents.MarkBad(slot);
        return null;
    }

    private HomeAnswer? LayDelete(DeleteItem item)
    {
        Dictionary<DeleteScope, SortedSet<uint>> targetsOf = _contents.FindContents(item.Contents);
        return LayDeletes(targetsOf, _open?.Among(item.Contents) ?? []);
    }

    private HomeAnswer? LayDrop(DropItem item)
    {
        Dictionary<DeleteScope, SortedSet<uint>> targetsOf = _contents.FindShards(item.Shards);
        return LayDeletes(targetsOf, _open?.Among(item.Shards) ?? []);
    }

    private HomeAnswer? LayDeletes(
        Dictionary<DeleteScope, SortedSet<uint>> targetsOf, IEnumerable<DeleteScope> inBatch)
    {
        foreach (DeleteScope scope in inBatch)
        {
            targetsOf.TryAdd(scope, []);
        }

        if (targetsOf.Count == 0)
        {
            return HomeAnswer.Done;
        }

        if (_options.Planted.HasFlag(PlantedDefects.DropsDeleteRecords))
        {
            var behindAll = new RecordPosition(uint.MaxValue, 0);
            _contents.Delete(
                targetsOf.Keys.ToDictionary(c => c, _ => behindAll),
                targetsOf.Values.SelectMany(t => t).ToHashSet());
            return HomeAnswer.Done;
        }

        int bytes = targetsOf.Values.Sum(
            t => RecordFormat.Align(RecordFormat.HeaderBytes + (t.Count * sizeof(uint))));
        if (MakeRoom(bytes, isAppend: false) is { } full)
        {
            return full;
        }

        _open!.AddDeletes(targetsOf, _contents.HighestTick);
        return null;
    }

    private HomeAnswer? LayCopy(CopyItem item)
    {
        // What died since it was read must not come back behind the record that says so.
        List<CopiedRecord> live = item.Records.FindAll(
            c => _contents.IsLive(c.Header, c.From)
                && !(c.Header.Kind == RecordKind.Shard
                    && _open is not null
                    && _open.Deletes(c.Header.Shard, c.Header.Content)));
        if (live.Count == 0)
        {
            return HomeAnswer.Done;
        }

        if (MakeRoom(live.Sum(c => c.Bytes.Length), isAppend: false) is { } full)
        {
            return full;
        }

        live.ForEach(_open!.AddCopy);
        return null;
    }

    // Sees to it that there is a batch and that the file system can take so much more. Appends leave the
    // reserve to deletes and compaction, which give room back.
    private HomeAnswer? MakeRoom(int bytes, bool isAppend)
    {
        if (_open is null)
        {
            _freeBytes = -1;
            SealWhereFull();
        }

        WriteBatch? before = Before;
        if (!HasRoom(before, bytes, isAppend))
        {
            // What is being written may have been counted twice.
            Settle();
            before = null;
            _freeBytes = -1;
            HomeAnswer? refusal = _health.RefusesWrites;
            if (refusal is not null || !HasRoom(before, bytes, isAppend))
            {
                return refusal ?? _health.Full();
            }
        }

        if (_active is null)
        {
            _active = Volume.Create(_files, _folder, _superblock.Current, _lastVolume + 1, _entropy);
            _lastVolume = _active.Number;
            _contents.AddVolume(_active);
        }

        long start = before?.Next ?? _active.NextBatch;
        long durableBytes = before is null ? start : _before[0].Start;
        Superblock own = _superblock.Current;
        _open ??= new WriteBatch(_active, start, durableBytes, own.Disk, own.Claim, _pool)
        {
            IsLaidAhead = before is not null,
        };
        return null;
    }

    private bool HasRoom(WriteBatch? before, int bytes, bool isAppend)
    {
        long end = (_open?.End ?? before?.Next ?? _active?.NextBatch ?? Volume.HeaderBytes) + bytes;
        long fileBytes = before?.FileBytes ?? _active?.FileBytes ?? 0;
        if (end <= fileBytes)
        {
            return true;
        }

        if (_freeBytes < 0)
        {
            // Nobody can tell how much of what is being written the file system has taken already.
            _freeBytes = _files.FreeBytes(_folder) - (before?.GrowthBytes ?? 0);
        }

        long growth = Volume.GrownTo(end, fileBytes, _options.GrowBytes) - fileBytes;
        return growth + (isAppend ? _reserveBytes : 0) <= _freeBytes;
    }

    private bool IsActiveFull => _active is { } volume
        && ((Before?.Next ?? volume.NextBatch) >= _options.VolumeBytes || volume.Recent!.HasManyGroups);

    private void SealWhereFull()
    {
        if (IsActiveFull)
        {
            Settle();
            if (IsActiveFull && _health.RefusesWrites is null)
            {
                Seal(_active!);
            }
        }
    }

    private HomeAnswer SealWhatIsDue()
    {
        if (_active is { } volume
            && volume.DeadBytes >= _options.SealEarlyDeadBytes
            && volume.DeadBytes >= volume.LiveBytes)
        {
            Seal(volume);
        }

        // Those that a kill left behind, that found no room for it, or whose footer was damaged.
        foreach (Volume bare in _contents.Volumes().Where(v => v.IsSealed && v.Recent is not null))
        {
            if (!bare.IsUnreadable)
            {
                WriteLateFooter(bare);
            }
        }

        return HomeAnswer.Done;
    }

    private void Seal(Volume volume)
    {
        volume.IsSealed = true;
        _active = null;
        if (!WriteFooter(volume))
        {
            _health.FailFor(volume.Trim);
        }
    }

    // Nothing in a volume that another followed says where its records end: whoever meets the beginning of a footer
    // there after a crash would take it for rot.
    private void WriteLateFooter(Volume volume)
    {
        _health.FailFor(() => _superblock.Update(
            s => s with { FooterVolume = volume.Number, FooterVolumeEnd = volume.End }));
        _isUnmarked = true;
        WriteFooter(volume);
    }

    // False when there is no room for it: then the records themselves are read when the disk is opened.
    private bool WriteFooter(Volume volume)
    {
        List<KeptRecord> kept = _contents.KeptOf(volume);
        var trailer = new FooterTrailer(
            volume.NextBatch,
            volume.End,
            volume.Recent!.Count,
            kept.Sum(FooterFormat.KeptBytes),
            _contents.HighestTick,
            volume.MayHoldUnnamed);
        long growth = volume.NextBatch + trailer.Bytes - volume.FileBytes;
        bool hasRoom = growth <= 0 || growth + _options.GrowBytes <= _files.FreeBytes(_folder);
        if (!hasRoom || !VolumeFooter.Fits(trailer))
        {
            return false;
        }

        BufferSlice footer = _pool.RentSlice((int)trailer.Bytes);
        try
        {
            VolumeFooter.Lay(footer.Span, volume.Generation, trailer, volume.Recent.InOrder(), kept);
            if (!TryWriteFooter(volume, footer.Memory))
            {
                return false;
            }

            _contents.TakeFooter(volume, VolumeFooter.Of(volume, trailer, footer.Span));
            return true;
        }
        finally
        {
            footer.Release();
        }
    }

    private bool TryWriteFooter(Volume volume, ReadOnlyMemory<byte> footer)
    {
        try
        {
            volume.WriteFooter(footer);
        }
        catch (OsException e) when (e.IsNoSpace)
        {
            _health.FailFor(volume.CutFooter);
            return false;
        }
        catch (OsException e)
        {
            _health.FailWrites(e);
            throw;
        }

        _health.FailFor(() => volume.SyncFooter(footer.Length));
        _freeBytes = -1;
        return true;
    }

    private HomeAnswer Mark(bool isClean, Tick seen = default)
    {
        Tick known = _contents.HighestTick;
        if (!_isUnmarked && !isClean && seen <= known)
        {
            return HomeAnswer.Done;
        }

        Volume? newest = _contents.Volumes().LastOrDefault();
        _health.FailFor(() => _superblock.Update(s => s with
        {
            IsClean = isClean,
            LastVolume = _lastVolume,
            MarkVolume = newest?.Number ?? 0,
            DurableBytes = newest?.DurableBytes ?? 0,
            HighestTick = seen > known ? seen : known,
            FooterVolume = 0,
            FooterVolumeEnd = 0,
            Scrub = _scrub(),
        }));
        _contents.SeeTick(seen);
        _isUnmarked = false;
        return HomeAnswer.Done;
    }

    private void CloseInOrder()
    {
        _active?.Trim();
        Mark(isClean: true);
    }

    private void Guard(Action action)
    {
        try
        {
            if (_health.RefusesWrites is null)
            {
                action();
            }
        }
        catch (OsException e)
        {
            _health.FailWrites(e);
        }
    }
}
