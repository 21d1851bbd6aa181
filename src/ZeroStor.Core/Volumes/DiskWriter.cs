namespace ZeroStor.Volumes;

/// <summary>The one writer of a disk: a thread that takes what waits in the queue, lays it together, writes
/// and syncs it at once (group commit), checks that the folder still is the disk's own, and only then
/// answers. It also seals volumes, makes new ones and repeats the durable length in the superblock. Whatever
/// goes wrong in it ends the disk's writing, never the process.</summary>
internal sealed class DiskWriter
{
    // Nobody waits for it any more.
    private static readonly HomeAnswer Cancelled = new(ErrorKind.Busy, "The call was cancelled.");

    private readonly IDiskFiles _files;
    private readonly string _folder;
    private readonly DiskOptions _options;
    private readonly SuperblockFile _superblock;
    private readonly DiskContents _contents;
    private readonly DiskHealth _health;
    private readonly IEntropy _entropy;
    private readonly TimeProvider _time;
    private readonly Func<ScrubStand> _scrub;
    private readonly ITimer _markTimer;
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool _isAbandoned;
    private volatile bool _isUnmarked;
    private Volume? _active;
    private uint _lastVolume;
    private readonly long _reserveBytes;
    private long _freeBytes;

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
        _time = time;
        _active = active;
        _lastVolume = lastVolume;
        _scrub = scrub;
        _reserveBytes = Math.Max(
            2L * options.GrowBytes, files.TotalBytes(folder) / 100 * options.ReservePercent);
        DiskId disk = superblock.Current.Disk;
        Queue = new WriteQueue(disk, options);
        _markTimer = time.CreateTimer(_ => AskForMark(), null, options.MarkPeriod, options.MarkPeriod);
        new Thread(Run) { IsBackground = true, Name = $"disk {disk} writer" }.Start();
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
        var items = new Queue<WriteItem>();
        while (Queue.Take(items, out bool isMarkDue))
        {
            if (isMarkDue)
            {
                Guard(() => Mark(isClean: false));
            }

            while (items.Count > 0)
            {
                WriteOneBatch(items);
            }
        }

        _markTimer.Dispose();
        if (!_isAbandoned)
        {
            Guard(CloseInOrder);
        }

        _ended.SetResult();
    }

    // Takes items until a batch is full or they are at an end, and writes the batch.
    private void WriteOneBatch(Queue<WriteItem> items)
    {
        WriteBatch? batch = null;
        _freeBytes = -1;
        HomeAnswer? refusal = _health.RefusesWrites;
        try
        {
            while (refusal is null && items.TryPeek(out WriteItem? item))
            {
                bool isBatchFull = batch is not null
                    && (batch.End >= _options.VolumeBytes || item is SealItem or MarkItem);
                if (isBatchFull)
                {
                    break;
                }

                items.Dequeue();
                refusal = Lay(item, ref batch);
            }

            if (batch is not null)
            {
                refusal ??= Commit(batch);
            }
        }
#pragma warning disable CA1031 // An unforeseen failure, too, must end the disk's writing and answer who waits.
        catch (Exception e)
#pragma warning restore CA1031
        {
            refusal = Refuse(e);
        }

        batch?.Items.ForEach(i => Queue.Finish(i, refusal ?? HomeAnswer.Done));
        while (_health.RefusesWrites is { } forGood && items.TryDequeue(out WriteItem? item))
        {
            Queue.Finish(item, forGood);
        }
    }

    // Puts an item into the batch, or answers it; the answer is only returned when it ends all writing.
    private HomeAnswer? Lay(WriteItem item, ref WriteBatch? batch)
    {
        HomeAnswer? answer;
        try
        {
            answer = item.IsCancelled ? Cancelled : item switch
            {
                AppendItem append => LayShard(append, ref batch),
                DeleteItem delete => LayDelete(delete, ref batch),
                DropItem drop => drop.Refuses() ?? LayDrop(drop, ref batch),
                CopyItem copy => LayCopy(copy, ref batch),
                SealItem => SealWhatIsDue(),
                MarkItem mark => Mark(isClean: false, mark.Seen),
                _ => throw new InvalidOperationException($"The writer knows no {item.GetType().Name}."),
            };
        }
#pragma warning disable CA1031 // As above.
        catch (Exception e)
#pragma warning restore CA1031
        {
            answer = Refuse(e);
        }

        if (answer is null)
        {
            batch!.Items.Add(item);
        }
        else
        {
            Queue.Finish(item, answer);
        }

        return _health.RefusesWrites;
    }

    private HomeAnswer? LayShard(AppendItem item, ref WriteBatch? batch)
    {
        ShardHeader shard = item.Shard;
        if (batch?.FindShard(shard.Name) is { } twin)
        {
            // Joins the batch without a record: done when the twin is durable.
            return twin.ShardSum == shard.ShardSum ? null : OtherSum(shard);
        }

        bool isDying = batch is not null && batch.Deletes(shard.Name, shard.Content);
        if (!isDying && StoredSum(shard) is { } stored)
        {
            return stored == shard.ShardSum ? HomeAnswer.Done : OtherSum(shard);
        }

        if (MakeRoom(item.RecordBytes, isAppend: true, ref batch) is { } full)
        {
            return full;
        }

        batch!.AddShard(item);
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

    private HomeAnswer? LayDelete(DeleteItem item, ref WriteBatch? batch)
    {
        Dictionary<DeleteScope, SortedSet<uint>> targetsOf = _contents.FindContents(item.Contents);
        return LayDeletes(targetsOf, batch?.Among(item.Contents) ?? [], ref batch);
    }

    private HomeAnswer? LayDrop(DropItem item, ref WriteBatch? batch)
    {
        Dictionary<DeleteScope, SortedSet<uint>> targetsOf = _contents.FindShards(item.Shards);
        return LayDeletes(targetsOf, batch?.Among(item.Shards) ?? [], ref batch);
    }

    private HomeAnswer? LayDeletes(
        Dictionary<DeleteScope, SortedSet<uint>> targetsOf,
        IEnumerable<DeleteScope> inBatch,
        ref WriteBatch? batch)
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
        if (MakeRoom(bytes, isAppend: false, ref batch) is { } full)
        {
            return full;
        }

        batch!.AddDeletes(targetsOf, _contents.HighestTick);
        return null;
    }

    private HomeAnswer? LayCopy(CopyItem item, ref WriteBatch? batch)
    {
        // What died since it was read must not come back behind the record that says so.
        WriteBatch? laid = batch;
        List<CopiedRecord> live = item.Records.FindAll(
            c => _contents.IsLive(c.Header, c.From)
                && !(c.Header.Kind == RecordKind.Shard
                    && laid is not null
                    && laid.Deletes(c.Header.Shard, c.Header.Content)));
        if (live.Count == 0)
        {
            return HomeAnswer.Done;
        }

        if (MakeRoom(live.Sum(c => c.Bytes.Length), isAppend: false, ref batch) is { } full)
        {
            return full;
        }

        live.ForEach(batch!.AddCopy);
        return null;
    }

    // Sees to it that there is a batch and that the file system can take so much more. Appends leave the reserve to
    // deletes and compaction, which give room back.
    private HomeAnswer? MakeRoom(int bytes, bool isAppend, ref WriteBatch? batch)
    {
        if (_active is not null
            && batch is null
            && (_active.NextBatch >= _options.VolumeBytes || _active.Recent!.HasManyGroups))
        {
            Seal(_active);
        }

        long end = (batch?.End ?? _active?.NextBatch ?? Volume.HeaderBytes) + bytes;
        long fileBytes = _active?.FileBytes ?? 0;
        if (end > fileBytes)
        {
            if (_freeBytes < 0)
            {
                _freeBytes = _files.FreeBytes(_folder);
            }

            long growth = Volume.GrownTo(end, fileBytes, _options.GrowBytes) - fileBytes;
            if (growth + (isAppend ? _reserveBytes : 0) > _freeBytes)
            {
                return Full();
            }
        }

        if (_active is null)
        {
            _active = Volume.Create(_files, _folder, _superblock.Current, _lastVolume + 1, _entropy);
            _lastVolume = _active.Number;
            _contents.AddVolume(_active);
        }

        batch ??= new WriteBatch(_active, _superblock.Current.Disk, _superblock.Current.Claim);
        return null;
    }

    // Null when the batch is durable; else why not.
    private HomeAnswer? Commit(WriteBatch batch)
    {
        try
        {
            batch.Write(_options);
        }
        catch (OsException e) when (e.IsNoSpace)
        {
            FailFor(() => batch.Volume.Undo(batch.Start));
            return Full();
        }

        if (_options.Planted.HasFlag(PlantedDefects.AnswersBeforeSync))
        {
            batch.Apply(_contents);
            batch.Items.ForEach(i => Queue.Finish(i, HomeAnswer.Done));
            batch.Items.Clear();
            FailFor(batch.Volume.File.Sync);
            return null;
        }

        long began = _time.GetTimestamp();
        FailFor(batch.Volume.File.Sync);
        _options.Observer?.Synced(
            _superblock.Current.Disk, batch.End - batch.Start, _time.GetElapsedTime(began));
        if (!IsStillOurs(batch.Volume))
        {
            _health.Vanish($"{_folder} or a volume in it was removed, cut or replaced while it was open");
            return _health.RefusesAll;
        }

        batch.Apply(_contents);
        _isUnmarked = true;
        return null;
    }

    // After the sync, before the answer: bytes in a file without a name, or in a folder whose name leads
    // elsewhere, are as good as lost.
    private bool IsStillOurs(Volume volume)
    {
        FileIdentity file = volume.File.Identify();
        FileIdentity? superblock = _files.Identify(DiskFolder.SuperblockPath(_folder));
        return file.Links > 0
            && file.IsSameFile(volume.Identity)
            && file.Length == volume.FileBytes
            && superblock is { } named
            && named.IsSameFile(_superblock.Identity);
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
            FailFor(volume.Trim);
        }
    }

    // Nothing in a volume that another followed says where its records end: whoever meets the beginning of a footer
    // there after a crash would take it for rot.
    private void WriteLateFooter(Volume volume)
    {
        FailFor(() => _superblock.Update(
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
        if (!hasRoom
            || VolumeFooter.Lay(volume.Generation, trailer, volume.Recent.InOrder(), kept) is not { } bytes)
        {
            return false;
        }

        try
        {
            volume.WriteFooter(bytes);
        }
        catch (OsException e) when (e.IsNoSpace)
        {
            FailFor(volume.CutFooter);
            return false;
        }
        catch (OsException e)
        {
            _health.FailWrites(e);
            throw;
        }

        FailFor(() => volume.SyncFooter(bytes.Length));
        _freeBytes = -1;
        _contents.TakeFooter(volume, VolumeFooter.Of(volume, trailer, bytes));
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
        FailFor(() => _superblock.Update(s => s with
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

    private HomeAnswer Full() => new(
        ErrorKind.DiskFull,
        $"Disk {_superblock.Current.Disk} has no room to grow: delete something, or add disks.");

    // For what must not fail: where room was made before, even "no space" is a device that breaks its word.
    private void FailFor(Action action)
    {
        try
        {
            action();
        }
        catch (OsException e)
        {
            _health.FailWrites(e);
            throw;
        }
    }

    // Out of room while growing is an answer; every other failure ends the writing for good.
    private HomeAnswer Refuse(Exception failure)
    {
        if (_health.RefusesWrites is null && failure is OsException { IsNoSpace: true })
        {
            return Full();
        }

        _health.FailWrites(failure);
        return _health.RefusesWrites!;
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
