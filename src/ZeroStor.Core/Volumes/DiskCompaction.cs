namespace ZeroStor.Volumes;

/// <summary>Gives room back: unlinks sealed volumes that hold nothing live, and copies the live records of
/// those that hold little into the active volume first. A crash between any two steps leaves a record twice,
/// which is one shard, or a file more, which goes next time.</summary>
internal sealed class DiskCompaction(
    IDiskFiles files,
    string folder,
    DiskOptions options,
    DiskContents contents,
    DiskHealth health,
    WriteQueue queue,
    BufferPool pool)
{
    internal async Task RunAsync(CancellationToken cancel)
    {
        await queue.Ask(new SealItem());
        IEnumerable<Volume> due = contents.Volumes()
            .Where(v => v.IsSealed && !v.IsUnreadable && IsDue(contents.LiveBytes(v), v))
            .OrderBy(contents.LiveBytes);
        foreach (Volume volume in due)
        {
            cancel.ThrowIfCancellationRequested();
            if (health.RefusesWrites is not null
                || !await CopyLiveAsync(volume, cancel)
                || !await UnlinkAsync(volume))
            {
                return;
            }
        }
    }

    private bool IsDue(long liveBytes, Volume volume) =>
        liveBytes == 0 || liveBytes * 100 < (volume.End - Volume.HeaderBytes) * options.CompactBelowPercent;

    // False when the disk takes no more.
    private async Task<bool> CopyLiveAsync(Volume volume, CancellationToken cancel)
    {
        List<LiveRecord> live = contents.LiveRecords(volume.Number);
        for (int next = 0; next < live.Count && !volume.IsUnreadable;)
        {
            cancel.ThrowIfCancellationRequested();
            int first = next;
            int bytes = 0;
            while (next < live.Count && (next == first || bytes + live[next].RecordBytes <= options.CopyBytes))
            {
                bytes += live[next++].RecordBytes;
            }

            HomeAnswer answer = await queue.Ask(ReadChunk(volume, live[first..next], bytes));
            if (!answer.IsDone)
            {
                return false;
            }
        }

        return true;
    }

    // Copying must not give a damaged record a fresh sum, so everything is checked on the way.
    private CopyItem ReadChunk(Volume volume, List<LiveRecord> live, int bytes)
    {
        BufferSlice buffer = pool.RentSlice(bytes);
        var records = new List<CopiedRecord>();
        int at = 0;
        foreach (LiveRecord record in live)
        {
            Memory<byte> target = buffer.Memory.Slice(at, record.RecordBytes);
            at += record.RecordBytes;
            try
            {
                int read = volume.File.Read(target.Span, record.Position.Offset);
                bool isHeaderGood = RecordFormat.TryRead(
                    target.Span[..read], volume.Generation, record.Position, out RecordHeader header);
                if (isHeaderGood && read == target.Length && RecordFormat.HasGoodBody(target.Span, header))
                {
                    records.Add(new CopiedRecord(header, record.Position, target));
                }
                else
                {
                    contents.DropBad(record.Position);
                }
            }
            catch (OsException)
            {
                // Perhaps it can be read another day, or by other means: the file stays.
                volume.IsUnreadable = true;
            }
        }

        return new CopyItem(buffer, records);
    }

    private async Task<bool> UnlinkAsync(Volume volume)
    {
        // The superblock must know the highest number and tick before a file goes that may be the last to
        // show them.
        HomeAnswer marked = await queue.Ask(new MarkItem());
        if (!marked.IsDone || !contents.TryRetire(volume))
        {
            return marked.IsDone;
        }

        try
        {
            files.Unlink(DiskFolder.VolumePath(folder, volume.Number));
            files.SyncFolder(DiskFolder.VolumesPath(folder));
        }
        catch (OsException e)
        {
            health.FailWrites(e);
            return false;
        }

        contents.ForgetVolume(volume.Number);
        volume.Unpin();
        return true;
    }
}
