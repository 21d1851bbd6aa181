namespace ZeroStor.Volumes;

/// <summary>Reads shards, a bounded number at once, on the thread pool. Every read checks the record's
/// header, so that bytes from anywhere else are never given out; a whole shard is checked against its sum
/// too. A volume that is read is pinned, whatever compaction does meanwhile. Thread-safe.</summary>
internal sealed class DiskReader(
    DiskId disk, DiskOptions options, DiskContents contents, DiskHealth health, BufferPool pool) : IDisposable
{
    // The system reads ahead at least this much, so a header costs no second trip when its shard follows.
    private const int HeaderReadBytes = RecordFormat.MaxHeaderBytes;

    // Header and extensions of nearly all records, where only the record itself says how long they are.
    private const int GuessedHeadBytes = 2048;

    // No shard is longer; who asks for more hears so when the record has said how long it is.
    private const int MaxGuessedBytes = 512 * 1024;

    private readonly SemaphoreSlim _slots = new(options.ReadsAtOnce);
    private int _queued;

    internal async ValueTask<ShardReadAnswer> ReadAsync(
        StripeId stripe, byte place, int offset, int length, bool withExtensions, CancellationToken cancel)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        try
        {
            if (Interlocked.Increment(ref _queued) > options.ReadsQueued)
            {
                return new ShardReadAnswer(
                    ErrorKind.Busy,
                    $"Disk {disk} has {options.ReadsQueued} reads waiting: try again a little later.");
            }

            return await InTurnAsync(
                stripe, place, (volume, slot) => ReadShard(volume, slot, offset, length, withExtensions), cancel);
        }
        finally
        {
            Interlocked.Decrement(ref _queued);
        }
    }

    /// <summary>Reads the record of a shard as a read of the whole shard would, and gives nothing out. Takes
    /// its turn among the reads.</summary>
    /// <returns>Done; NotFound: dropped, moved or found damaged since it was seen there; Corrupt: marked now;
    /// DiskOffline.</returns>
    internal async ValueTask<HomeAnswer> VerifyAsync(HeldShard shard, CancellationToken cancel)
    {
        ShardReadAnswer answer = await InTurnAsync(
            shard.Stripe,
            shard.Place,
            (volume, slot) => slot.Position != shard.Position
                ? slot.IsGuess ? null : NotFound(shard.Stripe, shard.Place)
                : slot.IsBad
                    ? NotFound(shard.Stripe, shard.Place)
                    : ReadRecord(volume, shard, null, withExtensions: true),
            cancel);
        answer.Payload.Release();
        return answer;
    }

    /// <summary>Where the payload of a shard lies; null where it is not.</summary>
    internal ShardLocation? Locate(StripeId stripe, byte place)
    {
        if (!contents.TryPin(new ShardName(stripe, place), out HeldShard slot, out Volume volume))
        {
            return null;
        }

        try
        {
            byte[] bytes = new byte[HeaderReadBytes];
            return TryReadHeader(volume, slot, bytes, out RecordHeader header)
                ? new ShardLocation(
                    Path.Combine(DiskFolder.VolumesName, DiskFolder.VolumeName(volume.Number)),
                    slot.Position.Offset + header.PayloadOffset,
                    header.PayloadBytes)
                : null;
        }
        catch (OsException)
        {
            return null;
        }
        finally
        {
            volume.Unpin();
        }
    }

    public void Dispose() => _slots.Dispose();

    /// <summary>Reads on the thread pool, when few enough others do.</summary>
    internal async ValueTask<T> InTurnAsync<T>(Func<T> read, CancellationToken cancel)
    {
        await _slots.WaitAsync(cancel);
        try
        {
            return await Task.Run(read, cancel);
        }
        finally
        {
            _slots.Release();
        }
    }

    /// <summary>As <see cref="InTurnAsync{T}"/>, of whom is on the thread pool already: one read follows the
    /// other without a thread being woken for it.</summary>
    internal async ValueTask<T> InTurnHereAsync<T>(Func<T> read, CancellationToken cancel)
    {
        await _slots.WaitAsync(cancel);
        try
        {
            return read();
        }
        finally
        {
            _slots.Release();
        }
    }

    private ValueTask<ShardReadAnswer> InTurnAsync(
        StripeId stripe,
        byte place,
        Func<Volume, HeldShard, ShardReadAnswer?> read,
        CancellationToken cancel) => InTurnAsync(() => ReadPinned(stripe, place, read), cancel);

    private ShardReadAnswer ReadPinned(
        StripeId stripe, byte place, Func<Volume, HeldShard, ShardReadAnswer?> read)
    {
        if (health.RefusesAll is { } refusal)
        {
            return new ShardReadAnswer(refusal.Kind, refusal.Detail);
        }

        // The record says by itself whose it is, so most reads are one trip to the disk.
        var name = new ShardName(stripe, place);
        if (contents.TryGuess(name, out HeldShard guess, out Volume where)
            && ReadFrom(where, guess, read) is { } answer)
        {
            return answer;
        }

        return contents.TryPin(name, out HeldShard slot, out Volume volume)
            ? ReadFrom(volume, slot, read)!
            : NotFound(stripe, place);
    }

    // Null: the guess was wrong, or there is no telling.
    private ShardReadAnswer? ReadFrom(
        Volume volume, in HeldShard slot, Func<Volume, HeldShard, ShardReadAnswer?> read)
    {
        try
        {
            return read(volume, slot);
        }
        catch (OsException e)
        {
            return slot.IsGuess ? null : Damaged(slot, $"cannot be read, because {e.Message}");
        }
        finally
        {
            volume.Unpin();
        }
    }

    private ShardReadAnswer? ReadShard(
        Volume volume, in HeldShard slot, int offset, int length, bool withExtensions)
    {
        if (slot.IsBad)
        {
            return slot.IsGuess ? null : Corrupt(slot, "was found damaged before");
        }

        // Most reads are of whole shards, and one trip to the disk brings the record with all that is in it.
        bool isWhole = offset == 0 && length > slot.RecordBytes / 2;
        return isWhole
            ? ReadRecord(volume, slot, length, withExtensions)
            : ReadRange(volume, slot, offset, length, withExtensions);
    }

    // Null length: the whole payload, however long it is. Null answer: the guess was wrong.
    private ShardReadAnswer? ReadRecord(
        Volume volume, in HeldShard slot, int? payloadBytes, bool withExtensions)
    {
        int wanted = slot.IsGuess
            ? GuessedHeadBytes + Math.Min(payloadBytes ?? 0, MaxGuessedBytes)
            : slot.RecordBytes;
        SharedBuffer buffer = pool.Rent(wanted);
        bool isHandedOut = false;
        try
        {
            int read = volume.File.Read(buffer.Span[..wanted], slot.Position.Offset);
            ReadOnlySpan<byte> record = buffer.Span[..read];
            if (!TryParse(volume, slot, record, out RecordHeader header))
            {
                return WrongHeader(slot);
            }

            HeldShard known = HeldShard.Of(header, slot.Position);
            int length = payloadBytes ?? header.PayloadBytes;
            int needed = header.PayloadOffset + Math.Min(length, header.PayloadBytes);
            if (read == wanted && read < needed)
            {
                // Longer than was guessed; now it is known.
                return ReadRecord(volume, known, payloadBytes, withExtensions);
            }

            if (read < needed)
            {
                return Damaged(known, "ends too early");
            }

            ReadOnlySpan<byte> extensions = record[header.HeaderBytes..];
            ShardReadAnswer answer = Answer(known, header, record, 0, length, extensions, withExtensions);
            if (!answer.IsDone)
            {
                return answer;
            }

            ReadOnlySpan<byte> payload = record.Slice(header.PayloadOffset, length);
            if (length == header.PayloadBytes && Sum128.Of(payload) != header.PayloadSum)
            {
                return Damaged(known, "does not match its sum") with { Header = answer.Header };
            }

            isHandedOut = true;
            return answer with { Payload = buffer.Slice(header.PayloadOffset, length) };
        }
        finally
        {
            if (!isHandedOut)
            {
                buffer.Release();
            }
        }
    }

    private ShardReadAnswer? ReadRange(
        Volume volume, in HeldShard slot, int offset, int length, bool withExtensions)
    {
        Span<byte> bytes = stackalloc byte[HeaderReadBytes];
        if (!TryReadHeader(volume, slot, bytes, out RecordHeader header))
        {
            return WrongHeader(slot);
        }

        byte[] extensions = withExtensions ? new byte[header.ExtensionBytes] : [];
        _ = volume.File.Read(extensions, slot.Position.Offset + header.HeaderBytes);
        HeldShard known = HeldShard.Of(header, slot.Position);
        ShardReadAnswer answer = Answer(known, header, bytes, offset, length, extensions, withExtensions);
        if (!answer.IsDone || length == 0)
        {
            return answer;
        }

        BufferSlice payload = pool.RentSlice(length);
        try
        {
            int read = volume.File.Read(payload.Span, slot.Position.Offset + header.PayloadOffset + offset);
            bool isGood = read == length
                && (length < header.PayloadBytes || Sum128.Of(payload.Span) == header.PayloadSum);
            return isGood
                ? answer with { Payload = payload.Hold() }
                : Damaged(known, "ends too early or does not match its sum") with { Header = answer.Header };
        }
        finally
        {
            payload.Release();
        }
    }

    // The answer but for the payload.
    private ShardReadAnswer Answer(
        in HeldShard slot,
        in RecordHeader header,
        ReadOnlySpan<byte> headerBytes,
        int offset,
        int length,
        ReadOnlySpan<byte> extensions,
        bool withExtensions)
    {
        ShardHeader shard = RecordFormat.ReadShard(headerBytes);
        if (offset > header.PayloadBytes - length)
        {
            return new ShardReadAnswer(
                ErrorKind.InvalidArgument,
                $"Bytes {offset} to {(long)offset + length} lie outside a shard of {header.PayloadBytes} bytes.")
            {
                Header = shard,
            };
        }

        var answer = new ShardReadAnswer(ErrorKind.None) { Header = shard };
        if (!withExtensions)
        {
            return answer;
        }

        byte[] area = extensions[..header.ExtensionBytes].ToArray();
        return Sum128.Of(area) == header.ExtensionSum
            ? answer with { Extensions = RecordFormat.ReadExtensions(area) }
            : Damaged(slot, "has extensions that do not match their sum") with { Header = shard };
    }

    private bool TryReadHeader(
        Volume volume, in HeldShard slot, Span<byte> bytes, out RecordHeader header)
    {
        int read = volume.File.Read(bytes, slot.Position.Offset);
        return TryParse(volume, slot, bytes[..read], out header);
    }

    private bool TryParse(
        Volume volume, in HeldShard slot, ReadOnlySpan<byte> bytes, out RecordHeader header) =>
        RecordFormat.TryRead(bytes, volume.Generation, slot.Position, out header)
        && header.Kind == RecordKind.Shard
        && (slot.Is(header.Stripe, header.Place) || options.Planted.HasFlag(PlantedDefects.ReadTrustsIndex));

    // A guess that was wrong, or the record of the shard itself.
    private ShardReadAnswer? WrongHeader(in HeldShard slot) =>
        slot.IsGuess ? null : Damaged(slot, "has a record whose header does not match its sum");

    private ShardReadAnswer Damaged(in HeldShard slot, string how)
    {
        contents.MarkBad(slot);
        return Corrupt(slot, how);
    }

    private ShardReadAnswer NotFound(StripeId stripe, byte place) => new(
        ErrorKind.NotFound, $"Disk {disk} holds no shard {place} of stripe {stripe}: ask another home.");

    private ShardReadAnswer Corrupt(in HeldShard slot, string how) => new(
        ErrorKind.Corrupt,
        $"Shard {slot.Place} of stripe {slot.Stripe} on disk {disk} {how}: take another, repair writes it anew.");
}
